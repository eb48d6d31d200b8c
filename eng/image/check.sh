#!/usr/bin/env bash
# Builds the image and runs it with podman, as root, the way a careful platform would: check.sh [NAME]
# SKIP_BUILD=1 checks the image that is there. Ends with 'N passed, N failed'.
set -uo pipefail
source "$(dirname "$0")/lib.sh"
name=${1:-localhost/runtime:latest}
function=localhost/runtime-triton-function:latest functions=localhost/runtime-functions:latest
most_bytes=120000000
http=18710 grpc=18711 metrics=18712
ports=(--http-address 127.0.0.1 --http-port $http --grpc-address 127.0.0.1 --grpc-port $grpc --metrics-port $metrics)
passed=0 failed=0 ready_ms=0
scratch=$(mktemp -d)
trap 'pod rm -f -t 0 runtime-check >/dev/null 2>&1; rm -rf "$scratch"' EXIT

pod() { engine podman --runtime runc --cgroup-manager cgroupfs --events-backend file "$@"; }
limits=(--network host --ulimit nofile=20000:20000 --ulimit nproc=4096:4096 --no-healthcheck)

# check WHAT COMMAND...: one line a check; what the command says is shown when it fails.
check() {
    local what=$1; shift
    if "$@" >"$scratch/out" 2>&1; then passed=$((passed + 1)); say "ok    $what"
    else failed=$((failed + 1)); say "FAIL  $what"; head -n 20 "$scratch/out"; fi
}

# start FLAGS... -- IMAGE COMMAND...: no privileges, nothing to write to, an id that no file knows, no home; then waits until it is ready.
start() {
    local flags=()
    while [ "$1" != -- ]; do flags+=("$1"); shift; done
    shift
    pod rm -f -t 0 runtime-check >/dev/null 2>&1
    pod create --name runtime-check "${limits[@]}" \
        --read-only --read-only-tmpfs=false --cap-drop all --security-opt no-new-privileges --user 54321:0 --env HOME= --memory 1g \
        "${flags[@]}" "$@" >"$scratch/create" 2>&1 || { cat "$scratch/create"; return 1; }
    local began; began=$(date +%s%N)
    pod start runtime-check >"$scratch/create" 2>&1 || { cat "$scratch/create"; return 1; }
    for attempt in $(seq 3000); do
        if curl -sf -m 1 "http://127.0.0.1:$http/v2/health/ready"; then
            ready_ms=$((($(date +%s%N) - began) / 1000000))
            return 0
        fi
        # Asking takes longer than a start should.
        [ $((attempt % 100)) -ne 0 ] || [ "$(pod inspect runtime-check --format '{{.State.Running}}')" = true ] || break
        sleep 0.01
    done
    pod logs runtime-check
    return 1
}

stops() {
    pod stop -t 20 runtime-check || return 1
    local code; code=$(pod inspect runtime-check --format '{{.State.ExitCode}}')
    [ "$code" = 0 ] || { echo "exit code $code"; pod logs runtime-check | tail -n 5; return 1; }
}

infers() { curl -sSf -m 20 "http://127.0.0.1:$http/v2/models/$1/$2" -H 'Content-Type: application/json' --data-binary "@$repository/models/$1/$3"; }
serves() { [ "$(curl -sSf -X POST "http://127.0.0.1:$http/v2/repository/index" -d '{"ready":true}' | grep -o '"name":"[^"]*"' | sort | tr -d '\n')" = "$1" ]; }
grpc_says() {
    /usr/bin/python3 - "$grpc" <<'PY'
import sys, grpc
with grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}") as channel:
    answer = channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=10)
sys.exit(0 if answer == b"\x08\x01" else f"answer {answer!r}")
PY
}
inside() { pod exec runtime-check "$@"; }
cannot_write() { ! inside sh -c 'touch /x || touch /tmp/x || touch /models/x || touch /opt/runtime/x' && [ "$(inside id -u)" = 54321 ]; }
not_ready() { ! inside runtime-host health --http-port 1; }
prints() { local wanted=$1 text; shift; text=$("$@" 2>&1); echo "$text"; [[ $text == *"$wanted"* ]]; }
setting() { prints "$2" pod image inspect "$name" --format "$1"; }
once() { pod run --rm "${limits[@]}" "$name" "$@"; }
no_sdk() {
    local found; found=$(once sh -c 'ls -d /usr/share/dotnet/* /source /packages 2>/dev/null; find /opt/runtime -name "*.pdb" -o -name "*.xml"')
    echo "$found"
    [ "$(echo "$found" | sed 's|.*/||' | grep -vixE '.*\.txt' | sort | tr '\n' ' ')" = 'dotnet host shared ' ]
}
precompiled() { local lines; lines=$(pod logs runtime-check 2>&1); echo "$lines"; [[ $lines == *echo*READY* && $lines != *Compiled* ]]; }
small() {
    bytes=$(($(pod image inspect "$name" --format '{{.Size}}') - $(pod image inspect "$aspnet" --format '{{.Size}}')))
    [ "$bytes" -lt $most_bytes ]
}

need podman runc curl python3-grpcio
[ -n "${SKIP_BUILD:-}" ] || bash "$here/build.sh" "$name" || { echo "0 passed, 1 failed"; exit 1; }

check "is smaller than $((most_bytes / 1000000)) MB without its base" small
echo "      size without the base: $((bytes / 1000)) kB"
check "has no SDK, sources, symbols or comments" no_sdk
check "is not root's" setting '{{.User}}' 1654
check "stops by SIGTERM" setting '{{.Config.StopSignal}}' SIGTERM
check "has a health check" setting '{{.HealthCheck.Test}}' 'CMD runtime-host health'
check "has labels" setting '{{index .Labels "org.opencontainers.image.licenses"}}' Apache-2.0
check "takes flags alone" prints 'runtime-host 1' once --version
check "takes a verb alone" prints 'usage: runtime-host new' once new

check "serves its own models" start -- "$name" "${ports[@]}"
echo "      start to ready: $ready_ms ms"
check "infers over HTTP" infers simple infer request.json
check "hears speech" infers silero_vad infer speech.json
check "calls a function" infers echo generate request.json
check "has not compiled that" precompiled
check "is healthy over gRPC" grpc_says
check "is healthy to its own check" inside runtime-host health
check "is healthy to its own check over gRPC" inside runtime-host health --allow-http=false --grpc-port $grpc
check "is unhealthy where nothing listens" not_ready
check "writes nowhere" cannot_write
check "stops with exit code 0" stops

onnx=(--env 'RUNTIME_LOAD_MODEL=simple;silero_vad;char_gpt' --env RUNTIME_MODEL_CONTROL_MODE=explicit)
best=
for _ in 1 2 3; do
    check "starts again with three models" start "${onnx[@]}" -- "$name" "${ports[@]}"
    [ -n "$best" ] && [ "$best" -le "$ready_ms" ] || best=$ready_ms
done
echo "      start to ready with three models, best of three: $best ms"

mkdir "$scratch/models" && cp -r "$repository/models/simple" "$scratch/models/mine" && sed -i '/^name:/d' "$scratch/models/mine/config.pbtxt" && chmod -R a+rX "$scratch"
check "serves mounted models" start -v "$scratch/models:/models:ro" -- "$name" "${ports[@]}"
check "serves those only" serves '"name":"mine"'
check "stops with exit code 0" stops

# As the platform's documentation writes it, pattern without quotes and all.
cat >"$scratch/Dockerfile" <<DOCKERFILE
FROM $name
COPY models /model_repository
ENV CUDA_MODULE_LOADING LAZY
ENV LOG_VERBOSE 0
CMD tritonserver --log-verbose \${LOG_VERBOSE} --http-header-forward-pattern (nvcf-.*|NVCF-.*) \\
    --model-repository /model_repository/ --model-control-mode=none --strict-readiness 1
DOCKERFILE
check "is the base of a Triton function" engine buildah bud --isolation chroot --format docker -t "$function" "$scratch"
environment=(--env RUNTIME_HTTP_PORT=$http --env RUNTIME_GRPC_PORT=$grpc --env RUNTIME_METRICS_PORT=$metrics)
check "runs its CMD unchanged" start "${environment[@]}" -- "$function"
check "serves its models only" serves '"name":"mine"'
check "has its pattern" prints '(nvcf-.*|NVCF-.*)' inside cat /proc/1/cmdline
check "is healthy to its own check" inside runtime-host health
check "stops with exit code 0" stops
check "runs tritonserver as a command" start -v "$scratch/models:/model_repository:ro" -- "$name" tritonserver --model-repository=/model_repository \
    --http-header-forward-pattern 'NVCF-.*' --model-control-mode=none --strict-readiness 1 "${ports[@]}"
check "serves its models only" serves '"name":"mine"'
check "stops with exit code 0" stops

# Functions that are compiled when their image is built.
mkdir "$scratch/functions" && cp -r "$repository/models/echo" "$scratch/functions/echo" && echo "// changed" >>"$scratch/functions/echo/1/model.cs"
chmod -R a+rX "$scratch"
check "compiles a mounted function at start" start -v "$scratch/functions:/models:ro" -- "$name" "${ports[@]}"
check "says so" prints Compiled pod logs runtime-check
cat >"$scratch/Dockerfile" <<DOCKERFILE
FROM $name
COPY functions /my-models
ENV RUNTIME_MODEL_REPOSITORY=/my-models
USER 0
RUN runtime-host validate /my-models --function-cache /opt/runtime/functions
USER 1654
DOCKERFILE
check "is the base of functions" engine buildah bud --isolation chroot --format docker -t "$functions" "$scratch"
check "starts them" start -- "$functions" "${ports[@]}"
check "serves those only" serves '"name":"echo"'
check "has not compiled them" precompiled
check "stops with exit code 0" stops

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
