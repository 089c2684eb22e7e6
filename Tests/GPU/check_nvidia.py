"""Compares /gpu with what nvidia-smi prints, on a machine with a GPU of NVIDIA: check_nvidia.py path/to/sysmon-agent

Needs nothing but Python. Exits with 0 if all agrees within what changes from one moment to the next, with 77 if there
is no nvidia-smi.
"""

import json
import math
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "EndToEnd"))
from agent import Agent  # noqa: E402

ATTEMPTS = 5
# Query of nvidia-smi: our field, unit, absolute and relative tolerance.
NUMBERS = {
    "utilization.gpu": ("busy_ratio", 0.01, 0.1, 0),
    "utilization.memory": ("memory_busy_ratio", 0.01, 0.1, 0),
    "memory.used": ("memory_used_bytes", 2**20, 64 * 2**20, 0),
    "memory.total": ("memory_total_bytes", 2**20, 2**20, 0),
    "temperature.gpu": ("celsius", 1, 3, 0),
    "power.draw": ("watts", 1, 10, 0.15),
    "enforced.power.limit": ("power_limit_watts", 1, 0.01, 0),
    "clocks.gr": ("core_hertz", 1e6, 30e6, 0.1),
    "clocks.mem": ("memory_hertz", 1e6, 0, 0.01),
    "fan.speed": ("fan_ratio", 0.01, 0.05, 0),
}
TEXTS = {"name": "name", "driver_version": "driver_version"}


def schema(message):
    """Field names and types by number, of proto/sysmon/v1/gpu.proto."""
    text = (HERE.parent.parent / "proto/sysmon/v1/gpu.proto").read_text()
    body = re.search(rf"^message {message} {{(.*?)^}}", text, re.S | re.M).group(1)
    body = re.sub(r"enum \w+ {.*?}", "", body, flags=re.S)
    fields = re.findall(r"^\s*(?:repeated )?(\w+) (\w+) = (\d+);", body, re.M)
    return {int(number): (name, kind) for kind, name, number in fields}


def parts(data):
    """Numbers and values of a message in protobuf."""
    def varint():
        nonlocal data
        value = shift = 0
        while True:
            byte, data = data[0], data[1:]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    while data:
        tag = varint()
        if tag & 7 == 0:
            value = varint()
        elif tag & 7 == 1:
            value, data = struct.unpack("<d", data[:8])[0], data[8:]
        elif tag & 7 == 2:
            length = varint()
            value, data = data[:length], data[length:]
        else:
            raise ValueError(f"wire type {tag & 7}")
        yield tag >> 3, value


def decode(payload):
    """The GPUs of a message by their ids."""
    fields = schema("Gpu")
    rows = next(number for number, (name, _) in schema("Gpus").items() if name == "gpus")
    gpus = {}
    for number, value in parts(payload):
        if number != rows:
            continue
        gpu = {name: "" if kind == "string" else 0 for name, kind in fields.values()}
        for inner, content in parts(value):
            name, kind = fields[inner]
            gpu[name] = content.decode() if kind == "string" else content
        gpus[gpu["id"]] = gpu
    return gpus


class Client:
    """As much of the WebSocket and Foxglove protocols as it takes to read one channel."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.buffer = b""
        self.socket.sendall(
            f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: foxglove.websocket.v1\r\n\r\n".encode())
        while b"\r\n\r\n" not in self.buffer:
            self._fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in head:
            raise RuntimeError(head.decode())

    def _fill(self):
        data = self.socket.recv(65536)
        if not data:
            raise RuntimeError("the agent hung up")
        self.buffer += data

    def _take(self, count):
        while len(self.buffer) < count:
            self._fill()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def receive(self):
        """Kind (1 text, 2 binary) and content of the next frame; the agent sends no fragments."""
        first, length = self._take(2)
        if length == 126:
            length, = struct.unpack(">H", self._take(2))
        elif length == 127:
            length, = struct.unpack(">Q", self._take(8))
        return first & 15, self._take(length)

    def send(self, message):
        data = json.dumps(message).encode()
        assert len(data) < 126
        # A mask of zeros is a mask.
        self.socket.sendall(bytes([0x81, 0x80 | len(data), 0, 0, 0, 0]) + data)

    def subscribe(self, topic, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            kind, content = self.receive()
            message = json.loads(content) if kind == 1 else {}
            for channel in message.get("channels", []) if message.get("op") == "advertise" else []:
                if channel["topic"] == topic:
                    self.send({"op": "subscribe", "subscriptions": [{"id": 1, "channelId": channel["id"]}]})
                    return
        raise RuntimeError(f"{topic} is not advertised")

    def message(self):
        while True:
            kind, content = self.receive()
            if kind == 2 and content[0] == 1:
                return content[13:]


def nvidia_smi():
    """What nvidia-smi prints, by PCI address."""
    queries = ["pci.bus_id", *TEXTS, *NUMBERS]
    output = subprocess.run(
        ["nvidia-smi", f"--query-gpu={','.join(queries)}", "--format=csv,noheader,nounits"],
        check=True, capture_output=True, text=True).stdout
    gpus = {}
    for line in output.splitlines():
        values = dict(zip(queries, (value.strip() for value in line.split(","))))
        domain, rest = values["pci.bus_id"].lower().split(":", 1)
        gpus[f"{int(domain, 16):04x}:{rest}"] = values
    return gpus


def differences(ours, theirs):
    if set(ours) != set(theirs):
        return [f"GPUs {sorted(ours)} instead of {sorted(theirs)}"]
    found = []
    for id, expected in theirs.items():
        for query, field in TEXTS.items():
            print(f"{id} {field}: {ours[id][field]!r}, nvidia-smi: {expected[query]!r}")
            if ours[id][field] != expected[query]:
                found.append(f"{id} {field}")
        for query, (field, unit, absolute, relative) in NUMBERS.items():
            value = ours[id][field]
            print(f"{id} {field}: {value:g}, nvidia-smi: {expected[query]}")
            try:
                wanted = float(expected[query]) * unit
            except ValueError:  # "[N/A]"
                if not math.isnan(value):
                    found.append(f"{id} {field}")
                continue
            if not abs(value - wanted) <= absolute + relative * abs(wanted) + 1e-9:
                found.append(f"{id} {field}")
    return found


def main():
    try:
        nvidia_smi()
    except FileNotFoundError:
        print("not checked: there is no nvidia-smi")
        return 77
    with Agent(os.path.abspath(sys.argv[1])) as agent:
        client = Client(agent.port)
        client.subscribe("/gpu")
        client.message()
        for attempt in range(ATTEMPTS):
            found = differences(decode(client.message()), nvidia_smi())
            print(f"attempt {attempt + 1}: {', '.join(found) or 'all agrees'}", flush=True)
            if not found:
                return 0
            # What came while nvidia-smi ran is old.
            for _ in range(3):
                client.message()
    return 1


if __name__ == "__main__":
    sys.exit(main())
