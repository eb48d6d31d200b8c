# What build.sh and check.sh share: a store of images of their own, apart from those of the user's engine.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
store=${IMAGE_STORE:-$repository/artifacts/image}
sdk=localhost/runtime-base-sdk:10.0
aspnet=localhost/runtime-base-aspnet:10.0
log=$store/log

say() { printf '%s (%ss)\n' "$*" "$SECONDS"; }
die() { printf '%s\n' "$*" >&2; exit 1; }
need() {
    local missing=
    for package in "$@"; do dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"; done
    [ -z "$missing" ] && return
    say "installing$missing"
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } >>"$log" 2>&1 || die "could not install$missing: $log"
}

# Overlay where the kernel and the privileges allow it, since vfs copies every layer whole.
engine() {
    local tool=$1; shift
    "$tool" --storage-driver "$(cat "$store/driver")" --root "$store/root" --runroot "$store/run" "$@"
}
choose_driver() {
    [ -e "$store/driver" ] && return
    local probe=$store/probe
    mkdir -p "$probe/lower" "$probe/upper" "$probe/work" "$probe/merged"
    if mount -t overlay overlay -o "lowerdir=$probe/lower,upperdir=$probe/upper,workdir=$probe/work" "$probe/merged" 2>/dev/null; then
        umount "$probe/merged"; echo overlay >"$store/driver"
    else
        echo vfs >"$store/driver"
    fi
    rm -rf "$probe"
}

mkdir -p "$store"
