#!/usr/bin/env bash
# Tells whether a host's memory stays flat: requests of mixed sizes, then load/unload cycles of each model of models/.
#   memory.sh HOST [REQUESTS] [CYCLES] [REPOSITORY...]     HOST: the runtime-host executable; 200000 requests and 50 cycles by default
# The models of further repositories, such as models-torch beside this script, take part in the cycles.
# Prints resident memory on the way; exits 1 when the end is more than 10 % above what it was after the first tenth of the
# requests, or when a request failed. Needs wrk and curl. Everything stays on 127.0.0.1.
set -eu
host=$1 requests=${2:-200000} cycles=${3:-50}
shift $(($# < 3 ? $# : 3))
here=$(cd "$(dirname "$0")" && pwd)
repositories=("$here/../../models" "$@")
http=${PORT:-18710}
base=http://127.0.0.1:$http/v2
unset PORT
"$host" "${repositories[@]/#/--model-repository=}" --model-repository "$here/models" --model-control-mode explicit --load-model '*' \
    --http-address 127.0.0.1 --http-port "$http" --allow-grpc=false --allow-metrics=false --log-info=false &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null || true' EXIT
until curl -sf "$base/health/ready"; do kill -0 $server; sleep 0.1; done

resident() { awk '/VmRSS/ { print $2 }' /proc/$server/status; }
say() { printf '%-34s %8.1f MB\n' "$1" "$(echo "$2" | awk '{ print $1 / 1024 }')"; }

# post PATH [FILE]: fails with the server's answer
post() {
    local answer
    answer=$(curl -sS --fail-with-body -X POST "$base/$1" -H 'Content-Type: application/json' ${2:+--data-binary "@$2"}) || { echo "$1: $answer"; exit 1; }
}

# cycle: unloads and loads each model of the repositories, and runs its example
cycle() {
    local repository model name example
    for repository in "${repositories[@]}"; do
        for model in "$repository"/*/; do
            name=$(basename "$model")
            post "repository/models/$name/unload"
            post "repository/models/$name/load"
            for example in "$model"request.json "$model"speech.json; do
                # Examples of functions with a path of their own are bodies for that path.
                if grep -qs '"inputs"' "$example"; then post "models/$name/infer" "$example"; fi
            done
        done
    done
}

say 'at start' "$(resident)"
# Code and weights count from their first use on, the tensor pool from the most that these connections can need at once.
cycle
wrk -t1 -c32 -d2s -s "$here/binary1m.lua" "http://127.0.0.1:$http/v2/models/identity_fp32/infer" >/dev/null
say 'after warm-up' "$(resident)"
total=0 tenth=
while [ "$total" -lt "$requests" ]; do
    out=$(wrk -t1 -c32 -d1s -s "$here/mixed.lua" "http://127.0.0.1:$http")
    if grep -qE 'Non-2xx|Socket errors' <<<"$out"; then echo "$out"; exit 1; fi
    total=$((total + $(awk '/requests in/ { print $1 }' <<<"$out")))
    if [ -z "$tenth" ] && [ $((total * 10)) -ge "$requests" ]; then
        tenth=$(resident)
        say "after $total requests" "$tenth"
    fi
done
say "after $total requests" "$(resident)"

for round in $(seq "$cycles"); do
    cycle
    if [ $((round * 5 % cycles)) -eq 0 ]; then say "after $round cycles of each model" "$(resident)"; fi
done

end=$(resident)
awk -v end="$end" -v tenth="$tenth" 'BEGIN { printf "the end is %+.1f %% of what the first tenth left\n", (end / tenth - 1) * 100; exit (end > tenth * 1.1) }'
