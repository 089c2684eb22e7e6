"""Starts and stops the agent."""

import re
import signal
import subprocess
import sys
import threading
import time


class Agent:
    """A running agent on a free port; use with `with Agent(path) as agent:`."""

    def __init__(self, path, *options, prefix=(), stderr=subprocess.STDOUT, **process):
        """`prefix` is a command that runs the agent; what else there is goes to Popen."""
        self.lines = []
        self.process = subprocess.Popen(
            [*prefix, path, "--port", "0", *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=stderr, text=True, **process)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = self._await_url()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)

    def _await_url(self, seconds=10):
        """The WebSocket URL that the agent prints when it listens."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if ended := self.process.poll() is not None:
                self._reader.join(1)
            if match := re.search(r"\bwss?://[0-9a-zA-Z.\[\]:-]+:[1-9]\d*", "".join(self.lines)):
                return match.group()
            if ended:
                break
            time.sleep(0.005)
        self.process.kill()
        raise RuntimeError(f"no ws:// URL from the agent, only: {''.join(self.lines)!r}")

    @property
    def port(self):
        return int(self.url.rsplit(":", 1)[1])

    def terminate(self):
        """Sends SIGTERM; the exit status and the seconds it took."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(10)
        seconds = time.monotonic() - start
        self._reader.join(1)
        return status, seconds

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def main():
    """agent.py PATH COMMAND...: runs the command beside an agent, with {url} in it replaced by the agent's URL."""
    path, *command = sys.argv[1:]
    with Agent(path) as agent:
        result = subprocess.run([word.replace("{url}", agent.url) for word in command], check=False)
        status, _ = agent.terminate()
        if status != 0:
            print(f"the agent ended with status {status}: {''.join(agent.lines)}", file=sys.stderr)
        return result.returncode or status


if __name__ == "__main__":
    sys.exit(main())
