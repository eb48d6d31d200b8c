#!/bin/sh
# Builds libruntime_torch.so: build.sh OUT_DIR. Looks for libtorch in $LIBTORCH (a folder with include and lib), then where Debian's
# libtorch-dev puts it, then in python3's torch. Exits 3 with one sentence where the compiler or libtorch is missing, and otherwise
# with the compiler's status. $CXX, $CXXFLAGS and $LDFLAGS are respected.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || { echo "usage: build.sh OUT_DIR" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
cxx=${CXX:-g++}
missing() { echo "libruntime_torch.so is not built, so TorchScript models cannot be served: $1."; exit 3; }

command -v "$cxx" >/dev/null 2>&1 || missing "there is no C++ compiler ($cxx)"

# Prints python3's torch folder without importing it.
python_torch() {
  python3 -c 'import importlib.util as u; s = u.find_spec("torch"); print(list(s.submodule_search_locations)[0])' 2>/dev/null
}

lib=; root=
debian=/usr/lib/$("$cxx" -print-multiarch 2>/dev/null || "$cxx" -dumpmachine)
if [ -n "${LIBTORCH:-}" ]; then
  [ -f "$LIBTORCH/include/torch/script.h" ] || [ -f "$LIBTORCH/include/torch/csrc/api/include/torch/script.h" ] \
    || missing "LIBTORCH is $LIBTORCH, which has no include/torch/script.h"
  root=$LIBTORCH/include lib=$LIBTORCH/lib
elif [ -f /usr/include/torch/script.h ] && [ -e "$debian/libtorch_cpu.so" ]; then
  root=/usr/include lib=$debian
else
  found=$(python_torch) || found=
  [ -n "$found" ] && [ -d "$found/include/torch" ] \
    || missing "libtorch is not there (install libtorch-dev, or name a folder with its include and lib in LIBTORCH)"
  root=$found/include lib=$found/lib
fi
[ -e "$lib/libtorch_cpu.so" ] || missing "$lib has no libtorch_cpu.so"

includes="-isystem $root/torch/csrc/api/include"
# As a system folder /usr/include is there already, and naming it breaks the compiler's own order.
[ "$root" = /usr/include ] || includes="$includes -isystem $root"
libraries="-ltorch -ltorch_cpu -lc10"
defines=
if [ -e "$lib/libtorch_cuda.so" ]; then
  defines="-DRTT_CUDA"
  libraries="$libraries -ltorch_cuda -lc10_cuda"
  for cuda in "${CUDA_HOME:-/usr/local/cuda}/include" "$lib"/../../nvidia/cu*/include "$lib"/../../nvidia/cuda_runtime/include; do
    [ -f "$cuda/cuda_runtime_api.h" ] && { includes="$includes -isystem $cuda"; break; }
  done
fi
# Which std::string the library was built with shows in its own symbols.
if grep -q '_ZN5torch3jit4loadERKNSt7__cxx1112basic_string' "$lib/libtorch_cpu.so"; then abi=1; else abi=0; fi

flags="-O2 -fPIC -fvisibility=hidden -fvisibility-inlines-hidden -Wall -Wextra -D_GLIBCXX_USE_CXX11_ABI=$abi $defines ${CXXFLAGS:-}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# One translation unit: libtorch's headers take longer than all of this library.
for source in "$here"/*.cpp; do echo "#include \"$source\""; done > "$work/library.cpp"
compile() {
  "$cxx" -std="$1" $flags $includes -c "$work/library.cpp" -o "$work/library.o" 2> "$work/errors"
}
# Newer headers need C++20, which older ones do not compile as.
compile c++17 || compile c++20 || { cat "$work/errors" >&2; exit 1; }
cat "$work/errors" >&2
"$cxx" -shared -o "$work/libruntime_torch.so" "$work/library.o" -L"$lib" -Wl,-rpath,"$lib" -Wl,--no-as-needed $libraries \
  -Wl,--version-script="$here/exports.map" -Wl,-soname,libruntime_torch.so ${LDFLAGS:-}
mv "$work/libruntime_torch.so" "$out/libruntime_torch.so"
echo "libruntime_torch.so is built for libtorch in $lib"
