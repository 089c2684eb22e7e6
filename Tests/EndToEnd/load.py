"""Keeps the host a little busy, so that what is compared or drawn moves: use with `with Load():`."""

import subprocess
import sys

BUSY = """
import os, socket, sys, tempfile, time
receiver = socket.create_server(("127.0.0.1", 0))
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
with tempfile.TemporaryFile(dir=sys.argv[1]) as file:
    while True:
        start = time.monotonic()
        while time.monotonic() < start + 0.02:
            pass
        memory = bytearray(4 << 20)
        os.pwrite(file.fileno(), os.urandom(1 << 16), 0)
        os.fsync(file.fileno())
        with socket.create_connection(receiver.getsockname()) as sender, receiver.accept()[0] as other:
            sender.sendall(bytes(100_000))
            sender.close()
            while other.recv(1 << 20):
                pass
        datagrams.sendto(b"x", receiver.getsockname())
        time.sleep(0.02)
"""


class Load:
    """Counts, takes memory, writes to a disk, and talks over the loopback interface: about half a CPU's time."""

    def __init__(self, folder="/var/tmp"):
        self.folder = folder

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, "-c", BUSY, self.folder])
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
