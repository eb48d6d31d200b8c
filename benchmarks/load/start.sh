#!/usr/bin/env bash
# Measures how long a host takes from its start to the first inference and to readiness, and its memory then.
#   start.sh HOST [REPOSITORY] [RUNS]     HOST: the runtime-host executable; models/ and 5 runs by default
# The first inference is of models/simple, where the repository has it. Everything stays on 127.0.0.1. The client is the shell
# itself: a process for each look whether the host is ready would take the processor from the host.
set -eu
host=$1
here=$(cd "$(dirname "$0")" && pwd)
repository=${2:-$here/../../models} runs=${3:-5}
http=${PORT:-18720}
unset PORT

# Sends a request over one connection and reads the answer's head into $status.
ask() {
    printf '%s\r\nHost: start\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' "$1" ${#2} "$2" >&3
    read -r status <&3
    while read -r line <&3 && [ "$line" != $'\r' ]; do :; done
}

pause() { read -rt 0.005 <>"$silence" || true; }

silence=$(mktemp -u) && mkfifo "$silence" && trap 'rm "$silence"' EXIT
body=$(cat "$here/../../models/simple/request.json")
for run in $(seq "$runs"); do
    began=$(date +%s%N)
    "$host" --model-repository "$repository" --http-address 127.0.0.1 --http-port "$http" --allow-grpc=false --allow-metrics=false --log-info=false &
    server=$! status= inferred=
    until { exec 3<>"/dev/tcp/127.0.0.1/$http"; } 2>/dev/null; do kill -0 $server; pause; done
    until ask 'GET /v2/health/ready HTTP/1.1' '' && [[ $status == *' 200 '* ]]; do kill -0 $server; pause; done
    ready=$(date +%s%N)
    if [ -d "$repository/simple" ]; then
        ask 'POST /v2/models/simple/infer HTTP/1.1' "$body" && [[ $status == *' 200 '* ]] && inferred=$(date +%s%N)
    fi
    resident=$(awk '/VmRSS/ { print $2 / 1024 }' /proc/$server/status)
    printf 'ready after %4d ms, first inference after %s ms, %.0f MB resident\n' $(((ready - began) / 1000000)) "$([ -n "$inferred" ] && echo $(((inferred - began) / 1000000)) || echo -)" "$resident"
    exec 3>&-
    kill $server; wait $server || true
done
