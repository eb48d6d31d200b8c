#!/usr/bin/env bash
# Makes stand-ins for the public base images from Debian and this machine's .NET, for where no registry can be reached.
# They are kept; remove artifacts/image to make them anew.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

engine buildah inspect --type image "$aspnet" >/dev/null 2>&1 && engine buildah inspect --type image "$sdk" >/dev/null 2>&1 && exit 0
dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
tree=$(mktemp -d "$store/base-XXXXXX")
trap 'rm -rf "$tree"' EXIT

need debootstrap
say "making base images"
debootstrap --variant=minbase --include=ca-certificates,libssl3,tzdata "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$tree/root" >>"$log" 2>&1 \
    || die "debootstrap failed: $log"
rm -rf "$tree/root/var/cache/apt" "$tree/root/var/lib/apt/lists" "$tree/root/usr/share/doc" "$tree/root/usr/share/locale" "$tree/root/usr/share/man"
# The sources that this machine trusts are those that a build on it restores from.
cp /etc/ssl/certs/ca-certificates.crt "$tree/root/etc/ssl/certs/ca-certificates.crt"
mkdir -p "$tree/root/usr/share/dotnet"
cp -r "$dotnet/dotnet" "$dotnet/host" "$dotnet/shared" "$tree/root/usr/share/dotnet/"
ln -s /usr/share/dotnet/dotnet "$tree/root/usr/bin/dotnet"
echo "app:x:1654:1654::/home/app:/bin/sh" >>"$tree/root/etc/passwd"
echo "app:x:1654:" >>"$tree/root/etc/group"
mkdir -p "$tree/root/home/app" && chown 1654:1654 "$tree/root/home/app"

# The variables are those of the public images.
cat >"$tree/aspnet" <<'DOCKERFILE'
FROM scratch
COPY root /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin APP_UID=1654 ASPNETCORE_HTTP_PORTS=8080 DOTNET_RUNNING_IN_CONTAINER=true
DOCKERFILE
cat >"$tree/sdk" <<DOCKERFILE
FROM $aspnet
COPY dotnet /usr/share/dotnet
ENV ASPNETCORE_HTTP_PORTS= DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false NUGET_CERT_REVOCATION_MODE=offline
DOCKERFILE
mkdir "$tree/dotnet" && cp -r "$dotnet"/{sdk,sdk-manifests,packs,templates} "$tree/dotnet/"
engine buildah bud --isolation chroot --format docker -t "$aspnet" -f "$tree/aspnet" "$tree" >>"$log" 2>&1 || die "the base image could not be built: $log"
engine buildah bud --isolation chroot --format docker -t "$sdk" -f "$tree/sdk" "$tree" >>"$log" 2>&1 || die "the SDK's base image could not be built: $log"
