#!/usr/bin/env python3
"""Tests the commands that show things (once, cat, top, list) from the outside: against this program's own readings of
/proc, against what an independent client of the same agent gets, and on a terminal that tmux plays.

    test_commands.py --agent .build/debug/sysmon-agent [--only NAME]

Prints a line for each check and "N passed, M failed" last; exit status 1 if any failed.
"""

import argparse
import asyncio
import fcntl
import json
import math
import os
import pathlib
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback

from agent import Agent
from client import Client

CHECKS = []


def check(name, needs=None):
    """`needs`: a program without which the check is left out."""
    def register(function):
        CHECKS.append((name, function, needs))
        return function
    return register


def run(path, *arguments, **more):
    return subprocess.run(
        [path, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False, **more)


def only_line(text):
    """The one line of an error."""
    lines = text.splitlines()
    assert len(lines) == 1, f"not one line: {text!r}"
    return lines[0]


def assert_error(result, status, *parts):
    line = only_line(result.stderr)
    assert result.returncode == status, f"exit status {result.returncode}: {line}"
    for part in parts:
        assert part in line, f"{part!r} is not in: {line}"


# once


def stat_ticks():
    """Sum of each column of the "cpu" line."""
    return [int(word) for word in pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:]]


@check("once: JSON agrees with /proc")
def _(path):
    before = stat_ticks()
    result = run(path, "once", "/cpu", "/cpu/cores", "/memory", "/system/info", "/load", "--format", "json")
    after = stat_ticks()
    assert result.returncode == 0 and not result.stderr, result.stderr
    shown = json.loads(result.stdout)
    assert list(shown) == ["/cpu", "/cpu/cores", "/memory", "/system/info", "/load"]
    hertz = os.sysconf("SC_CLK_TCK")
    for column, field in enumerate(["user", "nice", "system", "idle"]):
        value = shown["/cpu"][f"{field}_seconds_total"]
        assert before[column] / hertz - 0.01 <= value <= after[column] / hertz + 0.01, f"{field}: {value}"
    ratios = [value for name, value in shown["/cpu"].items() if name.endswith("_ratio")]
    assert all(value is not None and 0 <= value <= 1 for value in ratios), "there are rates, of two samples"
    assert 0.4 < shown["/cpu"]["header"]["interval_seconds"] < 2
    assert [core["id"] for core in shown["/cpu/cores"]["cores"]] == list(range(os.cpu_count()))
    total = re.search(r"MemTotal: +(\d+)", pathlib.Path("/proc/meminfo").read_text())
    assert shown["/memory"]["total_bytes"] == int(total[1]) * 1024
    assert shown["/system/info"]["hostname"] == os.uname().nodename
    assert shown["/system/info"]["kernel_release"] == os.uname().release
    # What is not known is there, too.
    assert "hardware_corrupted_bytes" in shown["/memory"]


@check("once: the overview fits 80 columns behind a pipe, and the terminal's width on one")
def _(path):
    result = run(path, "once")
    assert result.returncode == 0 and not result.stderr, result.stderr
    lines = result.stdout.splitlines()
    assert {"/cpu", "/memory", "/load", "/net", "/filesystem"} <= set(lines)
    assert max(map(len, lines)) <= 80, max(lines, key=len)
    assert re.search(r"^  usage +\d+\.\d %", result.stdout, re.M) and " GiB" in result.stdout
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 132, 0, 0))
    subprocess.run([path, "once", "/memory"], stdout=follower, check=True, timeout=30)
    os.close(follower)
    wide = os.read(leader, 65536).decode().splitlines()
    assert 80 < max(map(len, wide)) <= 132, wide


@check("once: another root is read, what is absent is told, a wrong topic gets a suggestion")
def _(path):
    with tempfile.TemporaryDirectory() as folder:
        assert_error(run(path, "once", "/load", "--path.procfs", folder), 1, "/load is absent", "ENOENT")
        pathlib.Path(folder, "loadavg").write_text("1.25 2.50 3.75 4/500 6789\n")
        result = run(path, "once", "/load", "/memory", "--format=json", f"--path.procfs={folder}")
        assert_error(result, 1, "/memory is absent")
        load = json.loads(result.stdout)["/load"]
        assert [load[f"load{minutes}"] for minutes in (1, 5, 15)] == [1.25, 2.5, 3.75], load
        assert load["tasks_total"] == 500 and load["last_pid"] == 6789
        assert_error(run(path, "once", "--path.procfs", folder + "/none"), 1, "path.procfs", "directory")
    assert_error(run(path, "once", "/memry"), 2, "/memry is no channel", "did you mean /memory?")
    assert_error(run(path, "once", "/agent"), 2, "cat /agent")
    assert_error(run(path, "once", "--format", "xml"), 2, "--format xml", "text or json")
    assert_error(run(path, "once", "--fromat", "json"), 2, "--fromat is unknown", "--help")


# cat


def differences(message, shown, path=""):
    """Where a decoded message and what cat shows of it differ."""
    for field in message.DESCRIPTOR.fields:
        if field.containing_oneof and not message.HasField(field.name):
            continue
        value = getattr(message, field.name)
        name = f"{path}.{field.name}"
        if field.type == field.TYPE_MESSAGE:
            if field.message_type.full_name == "google.protobuf.Timestamp":
                if {"sec": value.seconds, "nsec": value.nanos} != shown[field.name]:
                    yield name
            elif field.is_repeated:
                if len(value) != len(shown[field.name]):
                    yield name
                for index, (entry, other) in enumerate(zip(value, shown[field.name])):
                    yield from differences(entry, other, f"{name}[{index}]")
            elif message.HasField(field.name):
                yield from differences(value, shown[field.name], name)
        elif field.type == field.TYPE_ENUM:
            if field.enum_type.values_by_number[value].name != shown[field.name]:
                yield name
        elif isinstance(value, float) and not math.isfinite(value):
            if shown[field.name] is not None:
                yield name
        elif value != shown[field.name]:
            yield f"{name}: {value} {shown[field.name]}"


@check("cat: every value is that of an independent client")
async def _(path):
    with Agent(path) as agent:
        async with Client(agent.url) as client:
            await client.await_channels("/cpu", "/processes", "/filesystem")
            topics = sorted(set(client.channels) - {"/fast", "/log", "/kernel/log"})
            await client.set_rates(**{topic: 2 for topic in topics if topic not in {"/net/addresses", "/config"}})
            cat = await asyncio.create_subprocess_exec(
                path, "cat", *topics, "--url", agent.url, stdout=asyncio.subprocess.PIPE, limit=1 << 24)
            await client.subscribe(*topics)
            received = await client.collect(4)
            cat.send_signal(signal.SIGINT)
            lines = (await cat.stdout.read()).decode().splitlines()
            assert await cat.wait() == 0
    shown = {}
    for line in map(json.loads, lines):
        shown[line["topic"], line["log_time"]["sec"] * 1_000_000_000 + line["log_time"]["nsec"]] = line["message"]
    both = [item for item in received if (item.topic, item.log_time) in shown]
    assert {item.topic for item in both} >= set(topics) - {"/net/addresses"}, set(topics) - {i.topic for i in both}
    assert len(both) > 100
    wrong = [(item.topic, where) for item in both
             for where in differences(item.message, shown[item.topic, item.log_time])]
    assert not wrong, wrong[:5]


@check("cat: --count counts, and each line comes at once")
def _(path):
    with Agent(path) as agent:
        result = run(path, "cat", "/cpu", "/memory", f"--url={agent.url}", "--count", "5")
        assert result.returncode == 0 and not result.stderr
        topics = [json.loads(line)["topic"] for line in result.stdout.splitlines()]
        assert len(topics) == 5 and set(topics) == {"/cpu", "/memory"}, topics
        with subprocess.Popen(
                [path, "cat", "/system/uptime", "--url", agent.url], stdout=subprocess.PIPE, text=True) as cat:
            start = time.monotonic()
            assert json.loads(cat.stdout.readline())["topic"] == "/system/uptime"
            assert time.monotonic() - start < 2
            # The reader goes: the next line ends it, quietly.
            cat.stdout.close()
            assert cat.wait(10) == -signal.SIGPIPE


@check("cat: jq reads it", needs="jq")
def _(path):
    with Agent(path) as agent:
        command = f"'{path}' cat /cpu --url {agent.url} | jq -c --unbuffered '[.topic, .message.usage_ratio]' | head -3"
        result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=20, check=True)
        assert len(result.stdout.splitlines()) == 3 and not result.stderr, result
        assert json.loads(result.stdout.splitlines()[2])[0] == "/cpu"


@check("cat: what goes wrong is told in one line")
def _(path):
    assert_error(run(path, "cat", "/cpu", "--url", "ws://127.0.0.1:1"), 1, "Connection refused", "8765")
    assert_error(run(path, "cat", "/cpu", "--url", "http://127.0.0.1"), 2, "--url http://127.0.0.1", "ws://HOST:PORT")
    assert_error(run(path, "cat"), 2, "name a topic")
    assert_error(run(path, "cat", "/cpu", "--count", "0"), 2, "--count 0")
    assert_error(run(path, "cat", "/cpu", "--ca", "x"), 2, "wss://")
    with Agent(path) as agent:
        assert_error(run(path, "cat", "/cpus", "--url", agent.url), 1, "did you mean /cpu", "/memory")
        with subprocess.Popen(
                [path, "cat", "/cpu", "--url", agent.url], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True) as cat:
            cat.stdout.readline()
            agent.terminate()
            _, error = cat.communicate(timeout=10)
            assert cat.returncode == 1 and "lost the connection" in only_line(error), error


@check("cat: logs in with a token, and trusts who --ca names", needs="openssl")
def _(path):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        made = run(path, "token", "new", "--role", "viewer")
        token = made.stderr.splitlines()[-1]
        (folder / "tokens").touch(0o600)
        (folder / "tokens").write_text(made.stdout)
        certificate, key = folder / "cert.pem", folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
             "2", "-subj", "/CN=agent", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
            check=True, capture_output=True)
        key.chmod(0o600)
        options = ["--token-file", str(folder / "tokens"), "--tls.cert", str(certificate), "--tls.key", str(key)]
        with Agent(path, *options) as agent:
            ca = ["--ca", str(certificate)]
            result = run(path, "cat", "/cpu", "--count", "1", "--url", f"{agent.url}/?token={token}", *ca)
            assert result.returncode == 0 and json.loads(result.stdout), result.stderr
            error = run(path, "cat", "/cpu", "--url", agent.url, *ca)
            assert_error(error, 1, "401", "?token=TOKEN")
            error = run(path, "cat", "/cpu", "--url", f"{agent.url}/?token={token}x", *ca)
            assert_error(error, 1, "401")
            assert token not in error.stderr
            assert_error(run(path, "cat", "/cpu", "--url", agent.url), 1, "certificate", "--ca FILE")
            plain = agent.url.replace("wss", "ws")
            assert_error(run(path, "cat", "/cpu", "--url", plain), 1, "400")


# list


@check("list: collectors and sensors")
def _(path):
    lines = run(path, "list", "collectors").stdout.splitlines()
    assert "/load               the loop    timer       5 s" in lines, lines
    sysfs = pathlib.Path(__file__).parent.parent / "Fixtures/hosts/laptop/t0/sys"
    result = run(path, "list", "sensors", "--path.sysfs", str(sysfs))
    assert result.returncode == 0 and not result.stderr, result.stderr
    assert result.stdout.splitlines()[0].split() == ["ID", "LABEL", "VALUE", "LIMITS"]
    assert re.search(r"^coretemp-isa-0000/temp1 +Package id 0 +\S+ °C +max \S+ °C, critical", result.stdout, re.M), (
        result.stdout)
    assert_error(run(path, "list", "everything"), 2, "list channels, list sensors, list collectors")


# top


class Terminal:
    """A program on a terminal of tmux; use with `with`."""

    def __init__(self, columns, rows, command):
        self.folder = tempfile.TemporaryDirectory()
        self.tmux = ["tmux", "-S", f"{self.folder.name}/socket", "-f", "/dev/null"]
        # What is behind the program shows whether it left the terminal as it was.
        script = f"echo before; {command}; echo ended $?; stty -a; sleep 60"
        environment = {**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        subprocess.run(
            [*self.tmux, "new-session", "-d", "-x", str(columns), "-y", str(rows), script], check=True,
            env=environment)

    def lines(self):
        shown = subprocess.run([*self.tmux, "capture-pane", "-p"], capture_output=True, text=True, check=True)
        return shown.stdout.splitlines()

    def keys(self, *keys):
        subprocess.run([*self.tmux, "send-keys", *keys], check=True)

    def resize(self, columns, rows):
        subprocess.run([*self.tmux, "resize-window", "-x", str(columns), "-y", str(rows)], check=True)

    def program(self):
        """The process id of the command."""
        shell = subprocess.run(
            [*self.tmux, "display-message", "-p", "#{pane_pid}"], capture_output=True, text=True, check=True).stdout
        return int(subprocess.run(["pgrep", "-P", shell.strip()], capture_output=True, text=True, check=True).stdout)

    def wait(self, condition, seconds=10):
        """The lines as soon as `condition(text)` holds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            lines = self.lines()
            if condition("\n".join(lines)):
                return lines
            time.sleep(0.05)
        raise AssertionError("the terminal shows:\n" + "\n".join(self.lines()))

    def wait_for_end(self, status=0):
        """The terminal is as before."""
        text = "\n".join(self.wait(lambda text: f"ended {status}" in text and "echoke" in text))
        assert text.startswith("before"), text
        assert re.search(r"(?<!-)icanon", text) and re.search(r"(?<!-)echo\b", text), text

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run([*self.tmux, "kill-server"], check=False, capture_output=True)
        self.folder.cleanup()


def is_complete(text):
    return all(re.search(part, text, re.M) for part in (
        r"^CPU +\d+\.\d % [━╸─]+", r"^  0 [━╸─]+ +\d+\.\d %", r"^Mem +\d+\.\d % [━╸─]+", r"^Network +receive +send",
        r"^(lo|eth)\S* .*B/s", r"^Process +user +CPU +memory"))


@check("top: shows this host without an agent, at 80x24 and at 200x50, and follows the size", needs="tmux")
def _(path):
    for columns, rows in ((80, 24), (200, 50)):
        with Terminal(columns, rows, f"'{path}' top") as terminal:
            lines = terminal.wait(is_complete)
            assert lines[0].startswith(os.uname().nodename), lines[0]
            assert lines[-1].startswith("q quit") and re.search(r"all at \S+( to \S+)? Hz$", lines[-1]), lines[-1]
            assert len(lines) == rows and max(map(len, lines)) <= columns
            assert len(lines[-1]) == columns, "the last character is there"
            terminal.resize(100, 30)
            lines = terminal.wait(lambda text: text.count("\n") == 29 and text.splitlines()[-1].endswith(" Hz"))
            assert len(lines[-1]) == 100
            terminal.keys("q")
            terminal.wait_for_end()


@check("top: keys", needs="tmux")
def _(path):
    with Terminal(80, 24, f"'{path}' top") as terminal:
        terminal.wait(lambda text: is_complete(text) and "all at" in text)
        terminal.keys("?")
        terminal.wait(lambda text: "pause, or go on" in text and "Network" not in text)
        terminal.keys("q")
        terminal.wait(is_complete)
        terminal.keys("p")
        paused = terminal.wait(lambda text: "paused" in text)
        time.sleep(1.5)
        assert terminal.lines() == paused
        terminal.keys("p")
        terminal.wait(lambda text: text.splitlines() != paused and "paused" not in text)
        terminal.keys("Tab")
        terminal.wait(lambda text: text.splitlines()[-1].endswith("/cpu at 1 Hz"))
        terminal.keys("+")
        terminal.wait(lambda text: text.splitlines()[-1].endswith("/cpu at 2 Hz"))
        terminal.keys("-", "-")
        terminal.wait(lambda text: text.splitlines()[-1].endswith("/cpu at 0.5 Hz"))
        terminal.keys("C-c")
        terminal.wait_for_end()


@check("top: SIGTERM leaves the terminal as it was, and SIGTSTP does until it goes on", needs="tmux")
def _(path):
    with Terminal(80, 24, f"'{path}' top") as terminal:
        terminal.wait(is_complete)
        program = terminal.program()
        os.kill(program, signal.SIGTSTP)
        terminal.wait(lambda text: text.startswith("before") and "CPU" not in text)
        os.kill(program, signal.SIGCONT)
        terminal.wait(is_complete)
        os.kill(program, signal.SIGTERM)
        terminal.wait_for_end()


@check("top: a refusal is shown, and a lost agent is found again", needs="tmux")
def _(path):
    agent = Agent(path, "--rate", "/cpu=1000", "--name", "first")
    port = str(agent.port)
    with Terminal(80, 24, f"'{path}' top --url {agent.url}") as terminal:
        terminal.wait(lambda text: is_complete(text) and text.startswith("first") and "all at" in text)
        terminal.keys("Tab", "+")
        terminal.wait(lambda text: "2000 is not a number from 0.001 to 1000" in text)
        terminal.keys("BTab")
        agent.terminate()
        terminal.wait(lambda text: "no connection, trying again" in text and "Connection refused" in text)
        agent = subprocess.Popen(
            [path, "--port", port, "--name", "second"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            terminal.wait(lambda text: text.startswith("second") and "no connection" not in text and is_complete(text))
        finally:
            agent.kill()
            agent.wait()
        terminal.keys("q")
        terminal.wait_for_end()
    with Terminal(80, 24, f"'{path}' top --url ws://127.0.0.1:1") as terminal:
        lines = terminal.wait(lambda text: "ended 1" in text)
        assert any("Connection refused" in line for line in lines), lines


@check("top: sends little, and each frame at once", needs="tmux")
def _(path):
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    with subprocess.Popen([path, "top"], stdin=follower, stdout=follower, env=environment) as top:
        frames, end = b"", time.monotonic() + 4
        os.set_blocking(leader, False)
        while time.monotonic() < end:
            try:
                frames += os.read(leader, 1 << 16)
            except BlockingIOError:
                time.sleep(0.01)
        top.terminate()
        assert top.wait(5) == 0
    count = frames.count(b"\x1b[?2026h")
    assert 3 <= count <= 45, f"{count} frames in 4 s"
    assert frames.count(b"\x1b[2J") == 2, "the screen is cleared once, before and with the first frame"
    assert len(frames) / count < 4000, f"{len(frames)} bytes in {count} frames"


@check("top: without a terminal it says what to use instead")
def _(path):
    assert_error(run(path, "top"), 2, "needs a terminal", "once")
    assert_error(run(path, "top", "--ca", "x"), 2, "--ca")
    assert_error(run(path, "top", "/cpu"), 2, "/cpu is unexpected")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agent", metavar="PATH", required=True)
    parser.add_argument("--only", default="", help="run only checks whose name contains this")
    options = parser.parse_args()
    path = str(pathlib.Path(options.agent).absolute())
    passed = failed = 0
    for name, function, needs in CHECKS:
        if options.only not in name:
            continue
        if needs and not shutil.which(needs):
            print(f"--   {name}: there is no {needs}", flush=True)
            continue
        start = time.monotonic()
        try:
            outcome = function(path)
            if asyncio.iscoroutine(outcome):
                asyncio.run(asyncio.wait_for(outcome, 60))
            passed += 1
            verdict, reason = "ok  ", None
        except Exception as error:
            failed += 1
            verdict = "FAIL"
            reason = str(error) if isinstance(error, AssertionError) and str(error) else traceback.format_exc()
        print(f"{verdict} {name} ({time.monotonic() - start:.1f} s)", flush=True)
        if reason:
            print("     " + reason.rstrip().replace("\n", "\n     "), flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
