-- Requests of mixed sizes: of 50, 44 are small JSON, 5 are 4 KB and 1 is 1 MB, both binary.
local function binary(elements)
    local header = string.format('{"inputs":[{"name":"INPUT0","shape":[1,%d],"datatype":"FP32","parameters":{"binary_data_size":%d}}],' ..
        '"outputs":[{"name":"OUTPUT0","parameters":{"binary_data":true}}]}', elements, elements * 4)
    return wrk.format("POST", "/v2/models/identity_fp32/infer",
        { ["Content-Type"] = "application/octet-stream", ["Inference-Header-Content-Length"] = tostring(#header) },
        header .. string.rep("\0\0\128\63", elements))
end

local values = "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]"
local small, medium, large
local count = 0

function init()
    small = wrk.format("POST", "/v2/models/simple/infer", { ["Content-Type"] = "application/json" },
        '{"inputs":[{"name":"INPUT0","shape":[1,16],"datatype":"INT32","data":' .. values .. '},' ..
        '{"name":"INPUT1","shape":[1,16],"datatype":"INT32","data":' .. values .. '}]}')
    medium, large = binary(1024), binary(262144)
end

function request()
    count = count + 1
    if count % 50 == 0 then return large end
    return count % 10 == 5 and medium or small
end
