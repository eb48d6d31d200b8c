#!/bin/sh
# Builds libruntime_torch.so: build.sh OUT_DIR. libtorch.sh says where libtorch is looked for. Exits 3 with one sentence where the
# compiler or libtorch is missing, and 1 where compiling fails. $CXXFLAGS and $LDFLAGS are respected.
set -eu

[ $# -eq 1 ] || { echo "usage: build.sh OUT_DIR" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
missing() { echo "libruntime_torch.so is not built, so TorchScript models cannot be served: $1."; exit 3; }
. "$here/libtorch.sh"

mkdir -p "$1"
out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# One translation unit: libtorch's headers take longer than all of this library.
for source in "$here"/*.cpp; do echo "#include \"$source\""; done > "$work/library.cpp"
compile "$work/library.cpp" "$work/library.o" -O2 -Wall -Wextra -fvisibility=hidden -fvisibility-inlines-hidden ${CXXFLAGS:-} || exit 1
"$cxx" -shared -o "$work/libruntime_torch.so" "$work/library.o" $libraries -Wl,--version-script="$here/exports.map" \
  -Wl,-soname,libruntime_torch.so ${LDFLAGS:-} || exit 1
mv "$work/libruntime_torch.so" "$out/libruntime_torch.so"
echo "libruntime_torch.so is built for libtorch in $lib"
