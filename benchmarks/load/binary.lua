-- A request of so many FP32 elements by the binary tensor extension, answered in binary too.
return function(elements)
    local header = string.format('{"inputs":[{"name":"INPUT0","shape":[1,%d],"datatype":"FP32","parameters":{"binary_data_size":%d}}],' ..
        '"outputs":[{"name":"OUTPUT0","parameters":{"binary_data":true}}]}', elements, elements * 4)
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/octet-stream"
    wrk.headers["Inference-Header-Content-Length"] = tostring(#header)
    wrk.body = header .. string.rep("\0\0\128\63", elements)
end
