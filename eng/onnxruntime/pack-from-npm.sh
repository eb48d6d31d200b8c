#!/usr/bin/env bash
# Packs Microsoft.ML.OnnxRuntime and its binding from npm into the folder of ANSWER, then writes ANSWER.
# Called by Feed.targets: pack-from-npm.sh ANSWER NPM_VERSION SHA256 DOTNET
set -euo pipefail

answer=$1 npm_version=$2 sha256=$3 dotnet=$4
here=$(cd "$(dirname "$0")" && pwd)

fail() { echo "pack-from-npm: $1" >&2; exit 1; }
for tool in npm tar flock sha256sum; do
    command -v "$tool" >/dev/null || fail "$tool is not installed"
done

# One process packs, the others wait and find it done. The lock is not handed to dotnet, whose servers outlive this script.
mkdir -p "$here/obj"
exec 9>"$here/obj/lock"
flock 9
[[ ! -e $answer ]] || exit 0

work=$(mktemp -d "$here/obj/npm-XXXXXX")
trap 'rm -rf "$work"' EXIT

(cd "$work" && npm pack --loglevel=error --no-update-notifier "com.github.asus4.onnxruntime@$npm_version" 9>&-) \
    || fail "npm could not fetch com.github.asus4.onnxruntime $npm_version"
archive=$(echo "$work"/*.tgz)
echo "$sha256  $archive" | sha256sum --check --status || fail "$(basename "$archive") is not the archive that was reviewed"
tar -xzf "$archive" -C "$work" \
    package/LICENSE package/ThirdPartyNotices.txt package/Runtime package/Plugins/Linux/x64

# What a build around this one has set for itself must not leak into these projects.
env -u Configuration -u Platform -u RuntimeIdentifier \
    "$dotnet" pack "$here/Native.csproj" -c Release -o "$work/packages" -p:NpmPackage="$work/package/" \
    -p:UseSharedCompilation=false -nodeReuse:false -nologo -v:quiet 9>&- >"$work/log" 2>&1 \
    || { cat "$work/log" >&2; fail "the packages could not be built"; }

# Renames within one file system: a feed never holds half a package, and the answer comes last.
mv -f "$work"/packages/*.nupkg "$(dirname "$answer")"
echo npm >"$work/answer"
mv -f "$work/answer" "$answer"
