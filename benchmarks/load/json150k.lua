local values = {}
for i = 1, 150528 do
    values[i] = string.format("%.6f", (i * 7919 % 20011) / 10007 - 1)
end
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"inputs":[{"name":"INPUT0","shape":[1,150528],"datatype":"FP32","data":[' .. table.concat(values, ",") .. ']}]}'
