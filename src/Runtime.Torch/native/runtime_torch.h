/* Runs TorchScript files through libtorch behind a plain C interface: UTF-8 text, fixed layouts, no exception ever crosses it.
   Every structure that may grow starts with its own size in bytes; RTT_ABI changes when any layout or meaning does. */
#ifndef RUNTIME_TORCH_H
#define RUNTIME_TORCH_H

#include <stdint.h>

#define RTT_ABI 1
#define RTT_API __attribute__((visibility("default")))
#define RTT_MESSAGE_BYTES 4096

#ifdef __cplusplus
extern "C" {
#endif

/* What a function returns; also rtt_error.code. */
enum {
  RTT_OK = 0,
  RTT_INVALID = 1,       /* wrong shape, type or number of arguments, unknown method, an error the script raised */
  RTT_NOT_FOUND = 2,     /* the file is missing or is no TorchScript archive */
  RTT_OUT_OF_MEMORY = 3, /* on the host or on the device; only this call failed */
  RTT_DEVICE_LOST = 4,   /* an error after which the process cannot use the device again */
  RTT_INTERNAL = 5,
  RTT_UNSUPPORTED = 6    /* a type, layout or device that this library does not serve */
};

/* Element types. */
enum {
  RTT_BOOL = 1,
  RTT_U8 = 2,
  RTT_I8 = 3,
  RTT_I16 = 4,
  RTT_I32 = 5,
  RTT_I64 = 6,
  RTT_F16 = 7,
  RTT_BF16 = 8,
  RTT_F32 = 9,
  RTT_F64 = 10
};

/* What an argument takes or is given as, and what an output is. */
enum {
  RTT_NONE = 0,            /* given: the argument's default, or None where its type allows it */
  RTT_TENSOR = 1,
  RTT_OPTIONAL_TENSOR = 2, /* declared only; give RTT_TENSOR or RTT_NONE */
  RTT_TENSOR_LIST = 3,
  RTT_TENSOR_DICT = 4,     /* keys are the tensors' names */
  RTT_STRING_LIST = 5,
  RTT_OTHER = 6            /* declared only; can be left to its default and not be given */
};

typedef struct rtt_module rtt_module;
typedef struct rtt_method rtt_method;
typedef struct rtt_outputs rtt_outputs;

typedef struct rtt_error {
  int32_t code;
  char message[RTT_MESSAGE_BYTES]; /* ends with a zero byte; the middle of a longer text is left out */
} rtt_error;

typedef struct rtt_text {
  const char* data; /* need not end with a zero byte */
  int64_t bytes;
} rtt_text;

/* Elements in row-major order without gaps. */
typedef struct rtt_tensor {
  const char* name; /* a dictionary's key, zero-terminated; otherwise null */
  void* data;       /* may be null when bytes is 0 */
  int64_t bytes;    /* exactly the shape's elements */
  const int64_t* dims;
  int32_t rank;
  int32_t dtype;
  int32_t device;   /* -1 host, otherwise the GPU's number */
  int32_t reserved; /* 0 */
} rtt_tensor;

typedef struct rtt_argument {
  int32_t kind;  /* RTT_NONE, RTT_TENSOR, RTT_TENSOR_LIST, RTT_TENSOR_DICT or RTT_STRING_LIST */
  int32_t count; /* of tensors, or of strings */
  const rtt_tensor* tensors;
  const rtt_text* strings;
} rtt_argument;

typedef struct rtt_argument_info {
  const char* name;
  const char* type; /* as TorchScript writes it, such as "List[Tensor]" */
  int32_t kind;
  int32_t has_default;
} rtt_argument_info;

typedef struct rtt_output {
  int32_t kind;  /* RTT_TENSOR or RTT_STRING_LIST */
  int32_t index; /* place in the returned tuple, list or dictionary; 0 for a single value; a None keeps its place */
  int32_t inner; /* place in a tuple, list or dictionary inside that one; -1 when there is none */
  int32_t count; /* of strings */
  rtt_tensor tensor; /* its name is the innermost dictionary key, or null; set for strings as well */
  const rtt_text* strings;
} rtt_output;

/* Fields beyond the caller's `size` take their defaults. -1 leaves what the process has; the flags marked * are the whole
   process's, so the model loaded last decides. */
typedef struct rtt_load_options {
  int32_t size;                   /* sizeof(rtt_load_options) */
  int32_t inference_mode;         /* 1 (default): inference mode; 0: only without gradients */
  int32_t optimized_execution;    /* 1 (default); 0 runs the graph as written */
  int32_t jit_executor;           /* * -1 (default), 0 or 1 */
  int32_t jit_profiling;          /* * -1 (default), 0 or 1 */
  int32_t tensor_fuser;           /* * -1 (default), 0 or 1 */
  int32_t freeze;                 /* 0 (default) or 1: weights become constants of the graph */
  int32_t optimize_for_inference; /* 0 (default) or 1: freezes and rewrites the graph for this device */
  int32_t preserved_count;
  int32_t reserved;               /* 0 */
  const char* const* preserved;   /* methods besides forward that freezing must keep */
} rtt_load_options;

typedef struct rtt_run_options {
  int32_t size;              /* sizeof(rtt_run_options) */
  int32_t outputs_on_device; /* 0 (default): outputs come to the host; 1: they stay where the model left them */
  int32_t intra_threads;     /* threads inside one operator of this run; 0 (default): what rtt_set_threads set */
  int32_t reserved;          /* 0 */
} rtt_run_options;

/* Threads: every function may be called from any thread. Calls for one rtt_method must not overlap: it is one instance of the
   model, with a CUDA stream of its own. Different rtt_methods, also of one rtt_module, run at the same time and share weights.
   Modules, methods and outputs are counted: they may be freed in any order, and a null handle is freed without effect. */

RTT_API int32_t rtt_abi(void);

/* libtorch's version, such as "1.13.0". */
RTT_API const char* rtt_version(void);

/* 0 in a build without CUDA, without a driver and without a device. */
RTT_API int32_t rtt_cuda_device_count(void);

/* Threads inside one operator and between operators; 0 leaves libtorch's choice. Holds for the calls that start later, whatever
   thread they are made on. The second can only be set once, before the first run: setting another value later is an error. */
RTT_API int32_t rtt_set_threads(int32_t intra, int32_t inter, rtt_error* error);

/* Loads for evaluation, without gradients. device: -1 host, otherwise the GPU's number. options: null for the defaults. */
RTT_API int32_t rtt_module_load(const char* path, int32_t device, const rtt_load_options* options, rtt_module** out,
                                rtt_error* error);
RTT_API void rtt_module_free(rtt_module* module);

/* Makes one instance of a method ("forward" is one). An unknown name is RTT_INVALID and the text lists the methods there are. */
RTT_API int32_t rtt_module_method(rtt_module* module, const char* name, rtt_method** out, rtt_error* error);
RTT_API void rtt_method_free(rtt_method* method);

/* The method's arguments without self, in order; returns how many. The array and its texts live as long as the method. */
RTT_API int32_t rtt_method_arguments(const rtt_method* method, const rtt_argument_info** out);

/* What the method returns as TorchScript writes it, such as "Tuple[Tensor, Tensor]"; lives as long as the method. */
RTT_API const char* rtt_method_returns(const rtt_method* method);

/* Runs to the end: when it returns the outputs are complete and the inputs are no longer read. Trailing arguments may be left
   out where they have defaults. Host inputs are used in place on the host and copied to a GPU; GPU inputs are used in place, and
   whoever wrote them must have synchronised. Outputs never share memory with inputs or with each other. */
RTT_API int32_t rtt_method_run(rtt_method* method, const rtt_argument* arguments, int32_t count, const rtt_run_options* options,
                               rtt_outputs** out, rtt_error* error);

/* The outputs in order, a None left out; returns how many. The array and its memory live until rtt_outputs_free. */
RTT_API int32_t rtt_outputs_list(const rtt_outputs* outputs, const rtt_output** out);

/* Whoever reads outputs on a GPU must have synchronised before. */
RTT_API void rtt_outputs_free(rtt_outputs* outputs);

/* Gives unused cached memory of a GPU back to the driver; without effect for the host (-1). */
RTT_API int32_t rtt_empty_cache(int32_t device, rtt_error* error);

/* Bytes that tensors of this process hold on a GPU, and bytes that libtorch holds there with its cache; 0 and 0 for the host. */
RTT_API int32_t rtt_memory(int32_t device, int64_t* allocated, int64_t* reserved, rtt_error* error);

#ifdef __cplusplus
}
#endif

#endif
