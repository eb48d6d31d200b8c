#!/bin/sh
# Builds libruntime_torch.so and check.cpp, and runs the checks: run.sh [--sanitize] [CYCLES]. With --sanitize under AddressSanitizer
# (leaks too) and UndefinedBehaviorSanitizer. $PYTHON (python3) needs PyTorch, for the models.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
native=$here/../../src/Runtime.Torch/native
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags=
if [ "${1:-}" = --sanitize ]; then
  shift
  flags="-g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined"
  # One case asks for more memory than there is.
  export ASAN_OPTIONS=allocator_may_return_null=1
fi
"${PYTHON:-python3}" "$here/../../eng/models/make_torch_models.py" "$work/models"
CXXFLAGS=$flags LDFLAGS=$flags "$native/build.sh" "$work"
"${CXX:-g++}" -std=c++17 -Wall -Wextra $flags -I"$native" "$here/check.cpp" -o "$work/check" -L"$work" -lruntime_torch -Wl,-rpath,"$work" \
  -Wl,--allow-shlib-undefined -pthread
"$work/check" "$work/models" ${1:-200}
