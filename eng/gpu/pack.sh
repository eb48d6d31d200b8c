#!/usr/bin/env bash
# Packs what a machine with a GPU needs, which may have neither .NET nor a network, into parts of at most 60 MB: pack.sh OUT
# There, with all parts in one folder: bash check.sh FOLDER. Needs dotnet, npm and xz here; CUDA 13, cuDNN 9, PyTorch 2 and g++ there.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) root=$(cd "$here/../.." && pwd) out=$(mkdir -p "$1" && cd "$1" && pwd)
npm_package=com.github.asus4.onnxruntime.linux-x64-gpu
npm_version=$(sed -n 's:.*<OnnxRuntimeNpmVersion>\(.*\)</OnnxRuntimeNpmVersion>.*:\1:p' "$root/eng/onnxruntime/Versions.props")
npm_hash=2b459e0c17f340c92970c10ed86de4f37a3009f93c14053e6ad4334cbb6be412

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
# The benchmarks carry the host's library, so both programs share one folder and one runtime.
for project in benchmarks/Runtime.Benchmarks src/Runtime.Host; do # the second with compiled code, which both then use
    dotnet publish "$root/$project" -c Release -r linux-x64 --self-contained true -p:DebugType=none -p:PublishReadyToRunComposite=false -p:PublishReadyToRun="$([ "$project" = src/Runtime.Host ] && echo true || echo false)" -o "$stage/host"
done
rm -f "$stage"/host/libruntime_torch.so "$stage"/host/*.xml # the one is built there, the others nobody reads there
cp -r "$here" "$stage/gpu"
cp -r "$root/src/Runtime.Torch/native" "$stage/native"
cp -r "$root/models" "$stage/models"
rm -rf "$stage/gpu/__pycache__"

# The CUDA provider travels in parts of its own, since it changes with ONNX Runtime's version only.
if ! sha256sum "$out"/cuda-part-* >/dev/null 2>&1; then
    (cd "$stage" && npm pack --loglevel=error "$npm_package@$npm_version" >/dev/null)
    echo "$npm_hash  $(echo "$stage"/*.tgz)" | sha256sum --check --status || { echo "$npm_package $npm_version is not the archive that was reviewed" >&2; exit 1; }
    mkdir "$stage/npm" && tar -xzf "$stage"/*.tgz -C "$stage/npm" && rm "$stage"/*.tgz
    tar -C "$stage/npm/package/Plugins/Linux/x64" -c $(cd "$stage/npm/package/Plugins/Linux/x64" && ls ./*.so) | xz -T0 -4 | split -b 60MB -d - "$out/cuda-part-"
    rm -rf "$stage/npm"
fi

rm -f "$out"/host-part-*
tar -C "$stage" -c . | xz -T0 -4 | split -b 60MB -d - "$out/host-part-"
cp "$here/check.sh" "$out/"
ls -l "$out"
