#!/usr/bin/env bash
# Builds the image with buildah, as root, on base images made on this machine: build.sh [NAME]
# ACCELERATOR, TORCH and VERSION in the environment are the build arguments of these names.
# The store, with its cached steps, is artifacts/image. The user's NuGet sources are used.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
name=${1:-localhost/runtime:latest}

need buildah ca-certificates
choose_driver
bash "$here/bases.sh"

# A feed that the build would have to make in the image is made here, where npm is.
ls "$repository"/eng/onnxruntime/feed/*.origin >/dev/null 2>&1 || dotnet restore "$repository/src/Runtime.Host" >>"$log" 2>&1 || die "restoring failed: $log"
secret=()
[ -e "$HOME/.nuget/NuGet/NuGet.Config" ] && secret=(--secret "id=nuget,src=$HOME/.nuget/NuGet/NuGet.Config")

# Old versions of buildah do not heed an ARG's default in FROM, so ACCELERATOR is always given.
say "building $name"
started=$SECONDS
engine buildah bud --isolation chroot --format docker --layers --force-rm "${secret[@]}" \
    --build-arg ACCELERATOR="${ACCELERATOR:-cpu}" --build-arg SDK_IMAGE=$sdk --build-arg RUNTIME_IMAGE=$aspnet --build-arg CUDA_IMAGE=$aspnet \
    --build-arg TORCH="${TORCH:-false}" --build-arg VERSION="${VERSION:-0}" --build-arg REVISION="$(git -C "$repository" rev-parse HEAD 2>/dev/null || echo unknown)" \
    -t "$name" "$repository" >"$store/build.log" 2>&1 || { tail -n 30 "$store/build.log"; die "the image could not be built: $store/build.log"; }
say "built $name in $((SECONDS - started)) seconds"
