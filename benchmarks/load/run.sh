#!/usr/bin/env bash
# Loads a host that runs beside wrk on this machine, and prints requests/s, latencies and the server's CPU per request.
#   run.sh HOST [SECONDS]     HOST: the runtime-host executable (dotnet publish -c Release -o artifacts/host src/Runtime.Host)
# Needs wrk and curl. Everything stays on 127.0.0.1; each row runs SECONDS (default 5) after one of warm-up. Before the first row
# the host is loaded for 20 seconds, in which the runtime compiles what is hot once more: until then a request costs twice as much.
set -eu
host=$1 seconds=${2:-5}
here=$(cd "$(dirname "$0")" && pwd)
http=18700
"$host" --model-repository "$here/models" --model-repository "$here/../../models" --http-address 127.0.0.1 --http-port $http \
    --allow-grpc=false --allow-metrics=false --log-info=false &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null || true' EXIT
until curl -sf http://127.0.0.1:$http/v2/health/ready; do kill -0 $server; sleep 0.1; done

ticks() { awk '{ print $14 + $15 }' /proc/$server/stat; }

# row NAME CONNECTIONS SCRIPT PATH
row() {
    wrk -t1 -c"$2" -d1s -s "$here/$3" "http://127.0.0.1:$http$4" >/dev/null
    local before after out
    before=$(ticks)
    out=$(wrk -t1 -c"$2" -d"${seconds}s" --latency -s "$here/$3" "http://127.0.0.1:$http$4")
    after=$(ticks)
    echo "$out" | awk -v name="$1" -v connections="$2" -v cpu=$((after - before)) -v hertz="$(getconf CLK_TCK)" '
        /requests in/ { total = $1 }
        /Requests\/sec/ { rate = $2 }
        $1 == "50%" { p50 = $2 } $1 == "99%" { p99 = $2 }
        /Non-2xx/ { bad = $NF }
        END { printf "| %-34s | %4d | %9.0f | %9s | %9s | %8.1f | %s\n", name, connections, rate, p50, p99, cpu / hertz * 1e6 / total, bad ? bad " answers were errors" : "" }'
}

warm() { wrk -t1 -c16 -d10s -s "$here/$1" "http://127.0.0.1:$http$2" >/dev/null; }
warm get.lua /v2/health/live
warm simple.lua /v2/models/simple/infer

printf '| %-34s | %4s | %9s | %9s | %9s | %8s |\n' load conn 'requests/s' p50 p99 'CPU µs'
echo '|---|---|---|---|---|---|'
for connections in 1 16 64; do row 'GET /v2/health/live' $connections get.lua /v2/health/live; done
for connections in 1 16 64; do row 'simple, JSON' $connections simple.lua /v2/models/simple/infer; done
row 'simple_dyn, JSON' 64 simple.lua /v2/models/simple_dyn/infer
for connections in 16 64; do row 'identity_fp32, 4 KB binary' $connections binary4k.lua /v2/models/identity_fp32/infer; done
for connections in 16 64; do row 'function_fp32, 4 KB binary' $connections binary4k.lua /v2/models/function_fp32/infer; done
for connections in 1 16; do row 'identity_fp32, 1 MB binary' $connections binary1m.lua /v2/models/identity_fp32/infer; done
row '150,528 FP32 as JSON, in and out' 4 json150k.lua /v2/models/identity_fp32/infer
