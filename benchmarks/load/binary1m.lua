local here = debug.getinfo(1, "S").source:match("@(.*/)")
dofile(here .. "binary.lua")(262144)
