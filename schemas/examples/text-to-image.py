INPUT_SCHEMA = {
    "prompt": {
        "datatype": "STRING",
        "required": True,
        "shape": [1],
        "example": ["a lighthouse in the fog, oil on canvas"],
    },
    "negative_prompt": {"datatype": "STRING", "required": False, "shape": [1], "example": ["blurry"]},
    "size": {"datatype": "INT32", "required": False, "shape": [2], "example": [768, 512]},
    "guidance_scale": {"datatype": "FP32", "required": False, "shape": [1], "example": [7.5]},
    "seeds": {"datatype": "UINT64", "required": False, "shape": [-1], "example": [7, 18446744073709551615]},
}

BATCH_SIZE = 4
BATCH_WINDOW = 250  # milliseconds
IS_STREAMING_OUTPUT = False
