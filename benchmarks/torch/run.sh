#!/bin/sh
# How long forward takes called from C++, bare and through libruntime_torch.so in turn: run.sh [MODELS_DIR] [BARE_OPTION...], for a
# CNN and a transformer encoder. $PYTHON (python3) needs PyTorch, which makes the models where MODELS_DIR is not given.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
native=$here/../../src/Runtime.Torch/native
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
missing() { echo "$1" >&2; exit 3; }
. "$native/libtorch.sh"

case ${1:-} in
  ''|-*) models=$work/models; "${PYTHON:-python3}" "$here/../../eng/models/make_torch_models.py" "$models" ;;
  *) models=$1; shift ;;
esac
"$native/build.sh" "$work"
compile "$here/bare.cpp" "$work/bare.o" -O2 -I"$native"
"$cxx" "$work/bare.o" -o "$work/bare" -L"$work" -lruntime_torch -Wl,-rpath,"$work" $libraries -Wl,--allow-shlib-undefined
cd "$models"
bare() { "$work/bare" --shim "$@"; }
bare "$@" cnn.pt f32:1x3x32x32
bare "$@" cnn.pt f32:8x3x32x32
bare "$@" encoder.pt i64:1x32
bare "$@" encoder.pt i64:8x32
