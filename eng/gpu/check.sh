#!/usr/bin/env bash
# The whole check on a machine with a GPU: check.sh FOLDER [MINUTES]. FOLDER holds the parts of pack.sh, or what they unpack to.
# Prints a table; exits 0 when every row was met. With GPU_CHECK_CPU=1 it runs what needs no device, on small models.
set -uo pipefail
folder=$(cd "$1" && pwd) minutes=${2:-3}
python=${PYTHON:-python3} work=${GPU_CHECK_WORK:-$folder/work}
cpu=${GPU_CHECK_CPU:+--cpu}
mkdir -p "$work"

unpack() { # PREFIX FOLDER: unless it is done
    ls "$folder/$1"-part-* >/dev/null 2>&1 || return 0
    [ -e "$2/.$1" ] || { mkdir -p "$2" && cat "$folder/$1"-part-* | xz -dc -T0 | tar -x -C "$2" && touch "$2/.$1"; }
}
unpack host "$folder/run" || exit 1
unpack cuda "$folder/run/host" || exit 1
run=$folder/run

echo "## $(date -u +%F), $(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null || echo 'no GPU')"
echo "- $(uname -r), $(nproc) cores, PyTorch $("$python" -c 'import torch; print(torch.__version__, "CUDA", torch.version.cuda, "cuDNN", torch.backends.cudnn.version())')"
echo "- NVIDIA's PCI devices as ONNX Runtime looks for them: $(grep -ls 0x10de /sys/class/drm/card*/device/vendor /sys/bus/pci/devices/*/vendor 2>/dev/null | tr '\n' ' ')"

# CUDA's libraries come with the machine or with PyTorch's packages.
site=$("$python" -c 'import torch, pathlib; print(pathlib.Path(torch.__file__).parents[1])')
for directory in "$site"/nvidia/*/lib "$site"/nvidia/*/*/lib "$site/torch/lib" /usr/local/cuda/lib64 /usr/local/cuda-13*/lib64; do
    [ -d "$directory" ] && LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$directory
done
export LD_LIBRARY_PATH DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

start=$SECONDS
bash "$run/native/build.sh" "$run/host" >"$work/native.log" 2>&1; built=$?
echo "- libtorch shim: exit code $built after $((SECONDS - start)) s"
[ "$built" -eq 0 ] || tail -n 20 "$work/native.log"

rm -rf "$work/models" "$work/reference"
"$python" "$run/gpu/make_models.py" "$work/models" "$work/reference" "$run/models" $cpu 2>"$work/models.log" | sed 's/^/- /' || { tail -n 20 "$work/models.log"; exit 1; }
[ -e "$work/reference/cases.json" ] || { tail -n 20 "$work/models.log"; exit 1; }

echo
"$python" "$run/gpu/check.py" "$run/host/runtime-host" "$work/models" "$work/reference" --minutes "$minutes" $cpu 2>"$work/check.log"; checked=$?
[ "$checked" -eq 0 ] || { echo; echo '```'; tail -n 25 "$work/check.log"; grep -hE '^[WEF]' "$work/reference/host.log" | tail -n 15; echo '```'; }

echo
"$run/host/Runtime.Benchmarks" served "$work/models" cnn_onnx cnn_torch encoder_onnx encoder_torch 2>"$work/served.log"; compared=$?
[ "$compared" -eq 0 ] || tail -n 20 "$work/served.log"
exit $((checked | compared))
