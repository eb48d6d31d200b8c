"""The host under test as a process of its own."""
import os
import pathlib
import signal
import subprocess
import time

from client import Client

PORTS = {"http": 18000, "grpc": 18001, "metrics": 18002}


class Host:
    """Serves a repository until it is closed; its log goes to a file."""

    def __init__(self, program, repository, log, more=()):
        self.log = pathlib.Path(log)
        flags = [f"--{door}-port={port}" for door, port in PORTS.items()] + [f"--{door}-address=127.0.0.1" for door in PORTS]
        self._output = self.log.open("wb")
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [str(program), f"--model-repository={repository}", "--model-control-mode=explicit", "--load-model=*", *flags, *more],
            stdout=self._output, stderr=subprocess.STDOUT, env={**os.environ, "DOTNET_gcServer": "0"})

    def wait_ready(self, seconds):
        """Seconds until it was ready; raises with the end of the log if it ended or took longer."""
        while time.monotonic() - self.started < seconds:
            if self.process.poll() is not None:
                break
            try:
                if Client(PORTS["http"], 5).get("/v2/health/ready")[0] == 200:
                    return time.monotonic() - self.started
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError(f"the host is not ready after {seconds} s (exit code {self.process.poll()}):\n{self.tail()}")

    def wait_exit(self, seconds):
        """Its exit code; None if it still runs."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def tail(self, lines=30):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def resident_mb(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            if self.wait_exit(60) is None:
                self.process.kill()
        self._output.close()
