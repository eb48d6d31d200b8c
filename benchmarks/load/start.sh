#!/usr/bin/env bash
# Measures how long a host takes from its start to the first inference and to readiness, and its memory then.
#   start.sh HOST [REPOSITORY] [RUNS]     HOST: the runtime-host executable; models/ and 5 runs by default
# The first inference is of models/simple, where the repository has it. Needs curl. Everything stays on 127.0.0.1.
set -eu
host=$1
here=$(cd "$(dirname "$0")" && pwd)
repository=${2:-$here/../../models} runs=${3:-5}
http=${PORT:-18720}
unset PORT
for run in $(seq "$runs"); do
    began=$(date +%s%N)
    "$host" --model-repository "$repository" --http-address 127.0.0.1 --http-port "$http" --allow-grpc=false --allow-metrics=false --log-info=false &
    server=$!
    until curl -sf "http://127.0.0.1:$http/v2/health/ready"; do kill -0 $server; sleep 0.01; done
    ready=$(date +%s%N) inferred=
    if [ -d "$repository/simple" ]; then
        curl -sf -o /dev/null -H 'Content-Type: application/json' --data-binary "@$here/../../models/simple/request.json" "http://127.0.0.1:$http/v2/models/simple/infer" && inferred=$(date +%s%N)
    fi
    resident=$(awk '/VmRSS/ { print $2 / 1024 }' /proc/$server/status)
    printf 'ready after %4d ms, first inference after %s ms, %.0f MB resident\n' $(((ready - began) / 1000000)) "$([ -n "$inferred" ] && echo $(((inferred - began) / 1000000)) || echo -)" "$resident"
    kill $server; wait $server || true
done
