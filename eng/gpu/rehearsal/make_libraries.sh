#!/usr/bin/env bash
# Makes CUDA libraries without a device, with the functions that the provider library asks for: make_libraries.sh PROVIDER OUT
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) provider=$1 out=$2
mkdir -p "$out"
wanted() { nm -D --undefined-only "$provider" | awk '{ print $2 }' | sed -n "s/@$1\$//p"; }

echo "libcudart.so.13 { global: *; };" >"$out/map"
gcc -w -O1 -shared -fPIC -o "$out/libcudart.so.13" "$here/cudart.c" -Wl,--version-script="$out/map" -Wl,-soname,libcudart.so.13
for name in $(wanted libcudart.so.13); do
    nm -D --defined-only "$out/libcudart.so.13" | grep -q " $name@" || { echo "cudart.c lacks $name, which this provider asks for" >&2; exit 1; }
done

# Of cuBLAS only handles are real: whoever makes one gets memory.
for library in libcublas.so.13 libcublasLt.so.13; do
    echo "$library { global: *; };" >"$out/map"
    wanted "$library" | awk 'BEGIN { print "#include <stdlib.h>" }
        /Create/ { print "int " $1 "(void **handle) { *handle = calloc(1, 4096); return 0; }"; next }
        /GetStatus/ { print "const char *" $1 "(int status) { return \"fake\"; }"; next }
        { print "int " $1 "(void) { return 0; }" }' >"$out/library.c"
    gcc -w -fno-builtin -shared -fPIC -o "$out/$library" "$out/library.c" -Wl,--version-script="$out/map" -Wl,-soname,"$library"
done
gcc -w -shared -fPIC -o "$out/libcurand.so.10" -x c /dev/null -Wl,-soname,libcurand.so.10
gcc -w -shared -fPIC -o "$out/libcuda.so.1" "$here/../../../tests/native/fake_cuda.c" -Wl,-soname,libcuda.so.1
rm "$out/map" "$out/library.c"
