# For sourcing: finds the compiler and libtorch, and sets cxx, lib (libtorch's folder), flags, libraries. Looks in $LIBTORCH (a folder
# with include and lib), then where Debian's libtorch-dev puts it, then in python3's torch. Calls `missing REASON` where one is not
# there. $CXX is respected.

cxx=${CXX:-g++}
command -v "$cxx" >/dev/null 2>&1 || missing "there is no C++ compiler ($cxx)"

# Prints python3's torch folder without importing it.
python_torch() {
  python3 -c 'import importlib.util as u; s = u.find_spec("torch"); print(list(s.submodule_search_locations)[0])' 2>/dev/null
}

debian=/usr/lib/$("$cxx" -print-multiarch 2>/dev/null || true)
if [ -n "${LIBTORCH:-}" ]; then
  root=$LIBTORCH/include lib=$LIBTORCH/lib
  [ -d "$root/torch" ] || missing "LIBTORCH is $LIBTORCH, which has no include/torch"
elif [ -d /usr/include/torch/csrc ] && [ -e "$debian/libtorch_cpu.so" ]; then
  root=/usr/include lib=$debian
else
  found=$(python_torch) || found=
  [ -n "$found" ] && [ -d "$found/include/torch" ] \
    || missing "libtorch is not there (install libtorch-dev, or name a folder with its include and lib in LIBTORCH)"
  root=$found/include lib=$found/lib
fi
[ -e "$lib/libtorch_cpu.so" ] || missing "$lib has no libtorch_cpu.so"

includes="-isystem $root/torch/csrc/api/include"
# /usr/include is searched anyway, and naming it would change the compiler's own order.
[ "$root" = /usr/include ] || includes="$includes -isystem $root"
libraries="-L$lib -Wl,-rpath,$lib -Wl,--no-as-needed -ltorch -ltorch_cpu -lc10"
defines=
if [ -e "$lib/libtorch_cuda.so" ]; then
  defines=-DRTT_CUDA
  libraries="$libraries -ltorch_cuda -lc10_cuda"
  for cuda in "${CUDA_HOME:-/usr/local/cuda}/include" "$lib"/../../nvidia/cu*/include "$lib"/../../nvidia/cuda_runtime/include; do
    if [ -f "$cuda/cuda_runtime_api.h" ]; then includes="$includes -isystem $cuda"; break; fi
  done
fi
# Which std::string libtorch was built with shows in its own symbols.
if LC_ALL=C grep -q '_ZN5torch3jit4loadERKNSt7__cxx1112basic_string' "$lib/libtorch_cpu.so"; then abi=1; else abi=0; fi
flags="-fPIC -D_GLIBCXX_USE_CXX11_ABI=$abi $defines $includes"

# compile SOURCE OBJECT [FLAG...]: newer headers need C++20, which older ones do not compile as.
compile() {
  source=$1 object=$2
  shift 2
  for standard in c++17 c++20; do
    if "$cxx" -std=$standard $flags "$@" -c "$source" -o "$object" 2> "$object.errors"; then
      cat "$object.errors" >&2
      return 0
    fi
  done
  cat "$object.errors" >&2
  return 1
}
