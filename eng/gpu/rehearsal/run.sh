#!/usr/bin/env bash
# Runs a command on a machine without a GPU as if it had one, of which only the kernels are missing: run.sh PROVIDER COMMAND…
# PROVIDER is libonnxruntime_providers_cuda.so. Needs root, gcc and unshare; the machine itself stays as it is.
# Models whose operators only move data (Identity, Reshape) answer rightly, all others with whatever their memory held.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) provider=$1
shift
libraries=$(mktemp -d)
trap 'rm -rf "$libraries"' EXIT
bash "$here/make_libraries.sh" "$provider" "$libraries"

# ONNX Runtime looks for devices among the PCI devices of sysfs, which is replaced for this command alone.
export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
unshare --mount bash -c '
    mount -t tmpfs rehearsal /sys
    mkdir -p /sys/class /sys/bus/pci/devices/0000:01:00.0
    cd /sys/bus/pci/devices/0000:01:00.0 && echo 0x10de >vendor && echo 0x2335 >device && echo 0x030200 >class
    cd "$OLDPWD" && exec "$@"' bash "$@"
