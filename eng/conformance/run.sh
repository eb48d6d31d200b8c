#!/usr/bin/env bash
# Replays recorded exchanges of Triton Inference Server against a published host.
#   run.sh HOST CASES     HOST: the runtime-host executable; CASES: the folder with the recordings and their replay.py
# Needs python3-grpcio, python3-protobuf and protobuf-compiler. Ends with 'N passed, N failed' over all of them.
set -u
host=$1 cases=$2
here=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d)
http=18600 grpc=18601 metrics=18602
passed=0 failed=0 server=

stop() { [ -n "$server" ] && kill "$server" 2>/dev/null && wait "$server"; server=; }
trap 'stop; rm -rf "$scratch" /dev/shm/golden_shm /dev/shm/golden_shm2' EXIT

# start NAME FLAGS...: a fresh copy of the recordings' repository, and a host on it that is ready
start() {
    local name=$1; shift
    cp -r "$cases/models" "$scratch/$name" && chmod -R u+w "$scratch/$name"
    "$host" --model-repository "$scratch/$name" --http-address 127.0.0.1 --grpc-address 127.0.0.1 \
        --http-port $http --grpc-port $grpc --metrics-port $metrics "$@" >"$scratch/$name.log" 2>&1 &
    server=$!
    for _ in $(seq 300); do
        grep -q "^.*Serving " "$scratch/$name.log" && return
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    cat "$scratch/$name.log"; echo "the host did not start for $name"; exit 1
}

count() {
    echo "== $1: $(tail -n 1 "$2")"; grep '^FAIL' "$2"
    passed=$((passed + $(tail -n 1 "$2" | sed -E 's/([0-9]+) passed.*/\1/')))
    failed=$((failed + $(tail -n 1 "$2" | sed -E 's/.* ([0-9]+) failed.*/\1/')))
}

replay() {
    /usr/bin/python3 "$cases/replay.py" --http 127.0.0.1:$http --metrics 127.0.0.1:$metrics --repository "$scratch/$1" --cases "$cases/$2" -v >"$scratch/$1.$2.out"
    count "$2" "$scratch/$1.$2.out"
}

start explicit --model-control-mode=explicit --load-model='*'
replay explicit http-cases.json
replay explicit http-cases-survive.json
stop
start grpc --model-control-mode=explicit --load-model='*'
/usr/bin/python3 "$cases/replay_grpc.py" --grpc 127.0.0.1:$grpc --protos "$here/schemas" -v >"$scratch/grpc.out"
count grpc-cases.json "$scratch/grpc.out"
stop
start none --model-control-mode=none --http-header-forward-pattern='X-Fwd.*'
replay none http-cases-mode-none.json
stop
start restricted --model-control-mode=none --http-restricted-api=health,metadata:key1=val1
replay restricted http-cases-restricted-api.json
stop
python3 - <<'PY'
import struct
open("/dev/shm/golden_shm", "wb").write(struct.pack("<32i", *range(16), *[1] * 16) + bytes(256))
open("/dev/shm/golden_shm2", "wb").write(bytes(8192))
PY
start shm --model-control-mode=explicit --load-model='*' --allow-client-shm=true
replay shm http-cases-shared-memory.json
stop
[ -n "${KEEP:-}" ] && cp "$scratch"/*.out "$scratch"/*.log "$KEEP"/
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
