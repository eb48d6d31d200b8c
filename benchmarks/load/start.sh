#!/usr/bin/env bash
# Measures how long a host takes from its start to the first inference and to readiness, its processor time and its memory then.
#   start.sh HOST [REPOSITORY] [RUNS]     HOST: the runtime-host executable; models/ and 5 runs by default
# The first inference is of models/simple, where the repository has it. Everything stays on 127.0.0.1. One connection of one client
# asks every 2 ms whether the host is ready, each time in one packet: a shell sends a line at a time, which takes TCP 40 ms.
set -eu
host=$1
here=$(cd "$(dirname "$0")" && pwd)
exec python3 - "$host" "${2:-$here/../../models}" "${3:-5}" "${PORT:-18720}" "$here/../../models/simple/request.json" <<'PY'
import os, pathlib, socket, statistics, subprocess, sys, time

host, repository, runs, port, request = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], pathlib.Path(sys.argv[5]).read_bytes()
os.environ.pop("PORT", None)

def ask(connection, line, body=b""):
    connection.sendall(f"{line} HTTP/1.1\r\nHost: start\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65536) or sys.exit("the host closed the connection")
    head, rest = answer.split(b"\r\n\r\n", 1)
    length = next((int(field[15:]) for field in head.lower().split(b"\r\n") if field.startswith(b"content-length:")), 0)
    while len(rest) < length:
        rest += connection.recv(65536) or sys.exit("the host closed the connection")
    return head.split()[1] == b"200"

def until(attempt, process):
    while (result := attempt()) is None:
        process.poll() is None or sys.exit("the host ended")
        time.sleep(0.002)
    return result

def connect():
    try:
        return socket.create_connection(("127.0.0.1", int(port)))
    except ConnectionRefusedError:
        return None

def start():
    began = time.perf_counter()
    process = subprocess.Popen([host, "--model-repository", repository, "--http-address", "127.0.0.1", "--http-port", port, "--allow-grpc=false", "--allow-metrics=false", "--log-info=false"])
    try:
        with until(connect, process) as connection:
            until(lambda: ask(connection, "GET /v2/health/ready") or None, process)
            ready = inferred = 1000 * (time.perf_counter() - began)
            if pathlib.Path(repository, "simple").is_dir():
                ask(connection, "POST /v2/models/simple/infer", request) or sys.exit("the inference failed")
                inferred = 1000 * (time.perf_counter() - began)
            tasks = pathlib.Path(f"/proc/{process.pid}/task").iterdir()
            processor = sum(int(task.joinpath("schedstat").read_text().split()[0]) for task in tasks if task.exists()) / 1e6
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text().split()
            resident = int(status[status.index("VmRSS:") + 1]) / 1024
    finally:
        process.terminate()
        process.wait()
    print(f"ready after {ready:4.0f} ms, first inference after {inferred:4.0f} ms, processor {processor:4.0f} ms, {resident:3.0f} MB resident", flush=True)
    return inferred

print(f"median {statistics.median([start() for _ in range(runs)]):.0f} ms")
PY
