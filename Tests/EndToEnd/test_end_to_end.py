#!/usr/bin/env python3
"""Tests a whole agent from the outside: over its WebSocket, and against this program's own readings of /proc.

    test_end_to_end.py --agent .build/debug/sysmon-agent    starts the agent on a free port, several times
    test_end_to_end.py --url ws://127.0.0.1:8765            a running one; checks that need a process are left out

Prints a line for each check and "N passed, M failed" last; exit status 1 if any failed.
"""

import argparse
import asyncio
import base64
import bisect
import concurrent.futures
import contextlib
import ctypes
import datetime
import fcntl
import glob
import hashlib
import http.client
import json
import math
import os
import pathlib
import re
import resource
import select
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import traceback

from google.protobuf.unknown_fields import UnknownFieldSet

from agent import Agent
from client import SDK_V1, WEBSOCKET_V1, Client
from host import CPU_COLUMNS, MEMORY_LINES, NET_COLUMNS, TICK_HERTZ, Poller

# What a host must have for a channel to be offered: any of some files. None: that takes more than a look.
SOURCES = {
    "/cpu": ["/proc/stat"], "/cpu/cores": ["/proc/stat"], "/cpu/frequency": None, "/cpu/softirq": ["/proc/softirqs"],
    "/cpu/interrupts": ["/proc/interrupts"], "/cpu/throttle": ["/sys/devices/system/cpu/cpu*/thermal_throttle"],
    "/cpu/sched": ["/proc/schedstat"], "/kernel": ["/proc/stat"], "/load": ["/proc/loadavg"],
    "/memory": ["/proc/meminfo"], "/memory/paging": ["/proc/vmstat"],
    "/memory/numa": ["/sys/devices/system/node/node[0-9]*"],
    "/memory/compressed": ["/sys/block/zram*/mm_stat", "/sys/kernel/mm/ksm"], "/pressure": None,
    "/disk": ["/proc/diskstats"], "/filesystem": ["/proc/self/mountinfo"], "/md": ["/proc/mdstat"],
    "/zfs": ["/proc/spl/kstat/zfs/arcstats"], "/nfs": ["/proc/net/rpc/nfs", "/proc/net/rpc/nfsd"],
    "/edac": ["/sys/devices/system/edac/mc/mc[0-9]*"], "/net": ["/proc/net/dev"], "/net/addresses": ["/proc/net"],
    "/net/protocols": ["/proc/net/snmp"], "/net/sockets": ["/proc/net/sockstat"],
    "/net/conntrack": ["/proc/sys/net/netfilter/nf_conntrack_count"], "/net/softnet": ["/proc/net/softnet_stat"],
    "/net/wireless": None, "/net/neighbours": ["/proc/net/arp"], "/sensors": None, "/thermal": [
        "/sys/class/thermal/thermal_zone*", "/sys/class/thermal/cooling_device*"],
    "/power": ["/sys/class/power_supply/*"], "/rapl": None, "/gpu": None, "/processes": ["/proc/self/stat"],
    "/cgroup": ["/proc/self/cgroup"], "/systemd": None, "/fds": ["/proc/sys/fs/file-nr"], "/clock": None,
    "/system/info": ["/proc/sys/kernel"], "/system/uptime": ["/proc/uptime"], "/fast": ["/proc"], "/jitter": ["/proc"],
    "/agent": ["/proc"], "/hung_tasks": ["/proc/sys/kernel/hung_task_detect_count"], "/kernel/log": None,
    "/log": ["/proc"], "/config": ["/proc"],
}
# Without a rate.
EVENT_TOPICS = {"/net/addresses", "/kernel/log", "/log", "/config"}
# Channels of which nothing comes until something happens.
QUIET_TOPICS = {"/kernel/log", "/log"}
# Whose rates and shares are all known in a message that covers a span, on any host.
COMPLETE_TOPICS = {"/cpu", "/cpu/cores", "/kernel", "/net", "/agent"}
# Ratios that have no natural bounds: of several cores, of a limit, of a frequency that is corrected.
UNBOUNDED_RATIOS = {"cpu_ratio", "cpu_of_limit_ratio", "frequency_ratio", "memory_ratio"}

CHECKS = []


def check(name, needs_process=False):
    def register(function):
        CHECKS.append((name, function, needs_process))
        return function
    return register


# Messages


def stamp_of(received):
    """Nanoseconds since the Unix epoch; foxglove.Log has a timestamp of its own and no header."""
    message = received.message
    stamp = message.header.stamp if hasattr(message, "header") else message.timestamp
    return stamp.seconds * 1_000_000_000 + stamp.nanos


def parts(message):
    """The message and all that are in it."""
    yield message
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for part in value if hasattr(value, "append") else [value]:
                yield from parts(part)


def derives(descriptor):
    """Whether messages of a type hold rates."""
    return any(
        field.name.endswith("_per_second") or field.message_type is not None and derives(field.message_type)
        for field in descriptor.fields)


def numbers(message, prefix=""):
    """(path, field name, owner, value) of every floating-point field, also of entries."""
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        path = f"{prefix}{field.name}"
        if field.type in (field.TYPE_DOUBLE, field.TYPE_FLOAT):
            if not field.has_presence or message.HasField(field.name):
                yield path, field.name, message, value
        elif field.type == field.TYPE_MESSAGE and field.name != "header":
            entries = value if isinstance(value, list) or hasattr(value, "append") else [value]
            for index, entry in enumerate(entries):
                yield from numbers(entry, f"{path}[{index}].")


def is_here(patterns):
    return any(glob.glob(pattern) for pattern in patterns)


class Recording:
    """All messages of one connection over some seconds, by topic."""

    def __init__(self, received, subscribed_at, poller=None):
        self.poller = poller
        self.subscribed_at = subscribed_at
        self.topics = {}
        for item in received:
            self.topics.setdefault(item.topic, []).append(item)

    def __getitem__(self, topic):
        messages = self.topics.get(topic, [])
        assert messages, f"no message of {topic}"
        return messages

    def baseline(self, topic, received):
        """The message of the channel from which the span of `received` began, or None."""
        start = stamp_of(received) - received.message.header.interval_seconds * 1e9
        messages = self.topics[topic]
        place = bisect.bisect_left([stamp_of(item) for item in messages], start - 200_000)
        if place < len(messages) and abs(stamp_of(messages[place]) - start) < 200_000:
            return messages[place]
        return None

    def spans(self, topic):
        """(baseline, message) wherever the baseline was recorded; at least half of what is there."""
        due = [item for item in self[topic] if not math.isnan(item.message.header.interval_seconds)]
        pairs = [(base, item) for item in due if (base := self.baseline(topic, item))]
        assert len(pairs) >= max(1, len(due) // 2), f"{topic}: {len(pairs)} of {len(due)} spans begin at a message"
        return pairs

    def around(self, file, topic):
        """(before, message, after) for every message between two readings of our own."""
        for received in self[topic]:
            if readings := self.poller.around(file, stamp_of(received)):
                yield readings[0], received.message, readings[1]


async def record(url, seconds, subprotocols=(SDK_V1, WEBSOCKET_V1), rates=None, poll=False):
    async with Client(url, subprotocols) as client:
        if rates:
            await client.set_rates(**rates)
        await client.await_channels(*(topic for topic, patterns in SOURCES.items() if patterns and is_here(patterns)))
        with Poller() if poll else tempfile.TemporaryDirectory() as poller:
            if poll:
                await asyncio.sleep(0.05)
            await client.subscribe(*client.channels)
            received = await client.collect(seconds)
            if poll:
                await asyncio.sleep(0.05)
        return client, Recording(received, client.subscribed_at, poller if poll else None)


def close_enough(value, expected, tolerance=1e-9):
    return abs(value - expected) <= tolerance * max(1, abs(expected))


# Protocol


def check_recording(client, recording, rates):
    """What holds for every message of every channel; `rates` are those in effect, by topic."""
    strange = set(client.channels) - set(SOURCES)
    assert not strange, f"unheard-of channels: {strange}"
    for topic, patterns in SOURCES.items():
        if patterns is not None:
            assert (topic in client.channels) == is_here(patterns), (
                f"{topic} is {'' if topic in client.channels else 'not '}offered, and it takes one of {patterns}")
    silent = set(client.channels) - set(recording.topics) - QUIET_TOPICS
    assert not silent, f"no message of {silent}"
    for topic, messages in recording.topics.items():
        wait = messages[0].arrival - recording.subscribed_at[topic]
        assert wait >= 0.0499 or topic in QUIET_TOPICS, (
            f"{topic}: the first message came {wait * 1000:.1f} ms after subscribing")
        assert wait < 1 or topic in QUIET_TOPICS, f"{topic}: the first message came only {wait:.2f} s after subscribing"
        for item in messages:
            assert stamp_of(item) == item.log_time, f"{topic}: log time {item.log_time}, stamp {stamp_of(item)}"
            assert abs(time.time_ns() - item.log_time) < 60e9, f"{topic}: stamp is not the time of day"
            check_parts(topic, item.message)
        if client.channels[topic].schema_name == "foxglove.Log":
            continue
        check_headers(topic, messages)
        check_rate_of(topic, messages, rates.get(topic))


def check_headers(topic, messages):
    """Sequence, time and span of the messages of a channel."""
    for before, after in zip(messages, messages[1:]):
        first, second = before.message.header.sequence, after.message.header.sequence
        assert second == first + 1, f"{topic}: sequence {second} after {first}"
        # A slow source is told again with its old stamp.
        is_again = topic == "/processes" and stamp_of(after) == stamp_of(before)
        assert stamp_of(after) > stamp_of(before) or is_again, f"{topic}: stamps do not ascend"
    for index, item in enumerate(messages):
        header = item.message.header
        assert header.sequence >= 1
        interval = header.interval_seconds
        has_rates = derives(item.message.DESCRIPTOR) or topic in COMPLETE_TOPICS
        if not math.isnan(interval):
            assert 0 < interval < 5, f"{topic}: interval_seconds is {interval}"
        elif has_rates and is_here(SOURCES[topic] or []):
            # The second message may come before the shortest span of 0.1 s is over, hence some patience.
            late = stamp_of(item) - stamp_of(messages[0]) > 250_000_000 and index > 1
            assert not late, f"{topic}: interval_seconds is NaN in message {index + 1}"
        check_numbers(topic, item.message, due=not math.isnan(interval))


def check_rate_of(topic, messages, rate):
    """Half of the messages come when the rate says, give or take what a busy host is late."""
    stamps = [stamp_of(item) for item in messages]
    if rate is None or len(stamps) < 8:
        return
    spacing = statistics.median(later - earlier for earlier, later in zip(stamps, stamps[1:])) * 1e-9
    assert abs(spacing - 1 / rate) < max(0.002, 0.1 / rate), f"{topic}: one each {spacing:.4f} s, not at {rate} Hz"


def check_parts(topic, message):
    """Whatever the schema: nothing that it does not describe, ids once each, no infinity."""
    for part in parts(message):
        unknown = [field.field_number for field in UnknownFieldSet(part)]
        assert not unknown, f"{topic}: fields {unknown} of {part.DESCRIPTOR.name} are not in the schema"
        for field, value in part.ListFields():
            if hasattr(value, "append") and field.message_type and "id" in field.message_type.fields_by_name:
                ids = [entry.id for entry in value]
                assert len(set(ids)) == len(ids), f"{topic}.{field.name}: an id comes twice in {ids}"
                assert "" not in ids, f"{topic}.{field.name}: an id is empty"
    for path, name, _, value in numbers(message):
        assert not math.isinf(value), f"{topic}.{path} is infinite"
        if math.isnan(value):
            continue
        if name.endswith("_per_second"):
            assert value >= 0, f"{topic}.{path} is {value}"
        if name.endswith("_ratio") and name not in UNBOUNDED_RATIOS:
            assert 0 <= value <= 1 + 1e-9, f"{topic}.{path} is {value}"


def check_numbers(topic, message, due):
    """NaN in each rate of a message that covers no span; none where all must be known in one that does."""
    for path, name, owner, value in numbers(message):
        is_rate = name.endswith("_per_second") and name != "speed_bits_per_second"
        if topic in COMPLETE_TOPICS and not path.startswith(("collectors", "limits")):
            is_rate = is_rate or name.endswith("_ratio") or name == "busy_cores"
        if not is_rate or name.endswith("_utilization_ratio") and math.isnan(owner.speed_bits_per_second):
            continue
        if not due:
            assert math.isnan(value), f"{topic}.{path} is {value} in a message that covers no span"
        elif topic in COMPLETE_TOPICS:
            assert not math.isnan(value), f"{topic}.{path} is NaN in a message that covers a span"


async def check_subprotocols(run, offered, expected):
    rates = rates_of(await read_config(run.url))
    client, recording = await record(run.url, 2.5, offered)
    assert client.subprotocol == expected, f"selected {client.subprotocol}"
    info = client.server_info
    assert isinstance(info.get("name"), str) and isinstance(info.get("sessionId"), str), info
    assert isinstance(info.get("capabilities"), list) and "clientPublish" in info["capabilities"], info
    assert "json" in info.get("supportedEncodings", []), info
    check_recording(client, recording, rates)


@check("foxglove.websocket.v1 alone: all channels")
async def _(run):
    await check_subprotocols(run, [WEBSOCKET_V1], WEBSOCKET_V1)


@check("foxglove.sdk.v1 alone: all channels")
async def _(run):
    await check_subprotocols(run, [SDK_V1], SDK_V1)


@check("both subprotocols: foxglove.sdk.v1 is taken, all channels")
async def _(run):
    await check_subprotocols(run, [WEBSOCKET_V1, SDK_V1], SDK_V1)


@check("shared types are the same in all descriptor sets")
async def _(run):
    async with Client(run.url) as client:
        files = {}
        for channel in client.channels.values():
            for name, serialized in channel.files.items():
                assert files.setdefault(name, serialized) == serialized, f"{name} differs in {channel.topic}"


# Against the kernel: one recording, many checks


@check("a recording beside our own readings of /proc")
async def _(run):
    rates = rates_of(await read_config(run.url)) | {
        "/load": 2, "/cpu": 10, "/cpu/cores": 2, "/kernel": 10, "/net": 10, "/memory": 5, "/system/uptime": 2}
    client, run.recording = await record(run.url, 6, rates=rates, poll=True)
    check_recording(client, run.recording, rates)


def ticks_of(message):
    """Undoes the division by USER_HZ."""
    return [round(getattr(message, f"{name}_seconds_total") * TICK_HERTZ) for name in CPU_COLUMNS]


@check("/cpu: totals lie between our readings before and after")
async def _(run):
    count = 0
    for before, message, after in run.recording.around("stat", "/cpu"):
        count += 1
        assert message.online_count == sum(name != "cpu" and name.startswith("cpu") for name in before)
        for index, (name, value) in enumerate(zip(CPU_COLUMNS, ticks_of(message))):
            slack = 10 if name in ("idle", "iowait") else 0  # These two step back now and then.
            low, high = before["cpu"][index], after["cpu"][index]
            assert low - slack <= value <= high + slack, f"{name}: {value} ticks, our readings {low} and {high}"
    assert count > 40, f"only {count} messages"


def check_shares(recording):
    """The shares follow from the totals of the message and of the one that began its span."""
    checked = 0
    highest = [0] * len(CPU_COLUMNS)
    stepped_back = set()
    for item in recording["/cpu"]:
        ticks = ticks_of(item.message)
        if any(now < high for now, high in zip(ticks, highest)):
            stepped_back.add(id(item))
        highest = [max(pair) for pair in zip(ticks, highest)]
    for base, item in recording.spans("/cpu"):
        message = item.message
        delta = {
            name: after - before
            for name, before, after in zip(CPU_COLUMNS, ticks_of(base.message), ticks_of(message))}
        total = sum(delta[name] for name in CPU_COLUMNS[:8])
        if total == 0 or id(base) in stepped_back or id(item) in stepped_back or min(delta.values()) < 0:
            continue  # No tick, or one taken back: other rules hold.
        guest, guest_nice = min(delta["guest"], delta["user"]), min(delta["guest_nice"], delta["nice"])
        expected = {
            **{name: delta[name] / total for name in ("system", "irq", "softirq", "steal", "idle", "iowait")},
            "user": (delta["user"] - guest) / total, "nice": (delta["nice"] - guest_nice) / total,
            "guest": guest / total, "guest_nice": guest_nice / total,
            "usage": (total - delta["idle"] - delta["iowait"]) / total,
        }
        for name, share in expected.items():
            value = getattr(message, f"{name}_ratio")
            assert close_enough(value, share), f"{name}_ratio is {value}, the totals say {share}"
        shares = sum(getattr(message, f"{name}_ratio") for name in CPU_COLUMNS)
        assert close_enough(shares, 1), f"the shares add up to {shares}"
        assert close_enough(message.busy_cores, message.usage_ratio * message.online_count)
        # The shortest span is 0.1 s, less what a timer may be late.
        assert message.header.interval_seconds > 0.09, f"a span of only {message.header.interval_seconds} s"
        checked += 1
    return checked


@check("/cpu: shares follow from the totals over interval_seconds")
async def _(run):
    checked = check_shares(run.recording)
    assert checked > 30, f"only {checked} messages could be checked"


@check("/cpu/cores: shares agree with our own readings")
async def _(run):
    checked = 0
    for item in run.recording["/cpu/cores"]:
        message = item.message
        stamp, interval = stamp_of(item), message.header.interval_seconds
        if math.isnan(interval):
            continue
        ends = run.recording.poller.around("stat", stamp)
        starts = run.recording.poller.around("stat", stamp - round(interval * 1e9))
        if not ends or not starts:
            continue
        assert [core.id for core in message.cores] == sorted(
            int(name[3:]) for name in ends[0] if name.startswith("cpu") and name != "cpu")
        for core in message.cores:
            def bounds(columns):
                first, second, third, fourth = (
                    sum(reading[f"cpu{core.id}"][column] for column in columns) for reading in (*starts, *ends))
                return max(0, third - second), fourth - first
            busy, total = bounds((0, 1, 2, 5, 6, 7)), bounds(range(8))
            low, high = busy[0] / max(1, total[1]), busy[1] / max(1, total[0])
            assert low - 0.02 <= core.usage_ratio <= high + 0.02, (
                f"core {core.id}: usage_ratio {core.usage_ratio}, we read {low} to {high}")
            shares = sum(getattr(core, f"{name}_ratio") for name in CPU_COLUMNS)
            assert close_enough(shares, 1), f"core {core.id}: the shares add up to {shares}"
            checked += 1
    assert checked, "nothing to compare"


def check_rate(base, message, rate, total):
    expected = (getattr(message, total) - getattr(base, total)) / message.header.interval_seconds
    value = getattr(message, rate)
    assert close_enough(value, expected, 1e-6), f"{rate} is {value}, the totals say {expected}"


@check("/kernel: totals lie between our readings, rates follow from totals")
async def _(run):
    lines = {"context_switches": "ctxt", "interrupts": "intr", "softirqs": "softirq", "forks": "processes"}
    count = 0
    for before, message, after in run.recording.around("stat", "/kernel"):
        count += 1
        for field, line in lines.items():
            if line in before:
                value = getattr(message, f"{field}_total")
                assert before[line] <= value <= after[line], f"{field}_total {value}, {before[line]}..{after[line]}"
    assert count > 40, f"only {count} messages"
    for base, item in run.recording.spans("/kernel"):
        for field in lines:
            check_rate(base.message, item.message, f"{field}_per_second", f"{field}_total")


@check("/memory: agrees with our readings")
async def _(run):
    slack = 4 << 20  # Movement between the reads.
    checked = 0
    for item in run.recording["/memory"]:
        message = item.message
        readings = run.recording.poller.near("meminfo", stamp_of(item))
        if not readings:
            continue
        for field, line in MEMORY_LINES.items():
            value = getattr(message, field)
            if line not in readings[0]:
                assert math.isnan(value) or field == "available_bytes", f"{field} is {value} without a {line} line"
                continue
            low, high = (choose(reading[line] for reading in readings) for choose in (min, max))
            wide = 0 if line in ("MemTotal", "SwapTotal", "Hugepagesize") else slack
            assert low - wide <= value <= high + wide, f"{field} is {value}, we read {low} to {high}"
        used = message.total_bytes - message.available_bytes
        assert message.used_bytes == used and close_enough(message.used_ratio, used / message.total_bytes)
        cache = message.buffers_bytes + message.cached_bytes + message.slab_reclaimable_bytes - message.shmem_bytes
        assert message.page_cache_bytes == max(0, cache)
        assert message.swap_used_bytes == message.swap_total_bytes - message.swap_free_bytes
        assert math.isnan(message.swap_used_ratio) == (message.swap_total_bytes == 0)
        checked += 1
    assert checked > 20, f"only {checked} messages"


@check("/net: totals lie between our readings, rates follow from totals")
async def _(run):
    count = 0
    last = {}
    for before, message, after in run.recording.around("net/dev", "/net"):
        count += 1
        interfaces = {interface.id: interface for interface in message.interfaces}
        assert set(interfaces) == set(before), f"interfaces differ: {set(interfaces) ^ set(before)}"
        for name, interface in interfaces.items():
            for column in filter(None, NET_COLUMNS):
                value, low, high = getattr(interface, column), before[name][column], after[name][column]
                assert low <= value <= high, f"{name}.{column} is {value}, our readings {low} and {high}"
                assert value >= last.get((name, column), 0), f"{name}.{column} went down"
                last[name, column] = value
    assert count > 40, f"only {count} messages"
    for base, item in run.recording.spans("/net"):
        earlier = {interface.id: interface for interface in base.message.interfaces}
        for interface in item.message.interfaces:
            for kind in ("bytes", "packets", "errors", "dropped"):
                for way in ("rx", "tx"):
                    delta = getattr(interface, f"{way}_{kind}_total") - getattr(
                        earlier[interface.id], f"{way}_{kind}_total")
                    value = getattr(interface, f"{way}_{kind}_per_second")
                    expected = delta / item.message.header.interval_seconds
                    assert close_enough(value, expected, 1e-6), f"{way}_{kind}_per_second is {value}, not {expected}"
    if "127.0.0.1" in run.url:
        sent = [interface.tx_bytes_per_second for item in run.recording["/net"][3:]
                for interface in item.message.interfaces if interface.id == "lo"]
        assert max(sent) > 0, "lo carries this very connection, but shows no traffic"


@check("/load: is what /proc/loadavg says")
async def _(run):
    checked = 0
    for item in run.recording["/load"]:
        readings = run.recording.poller.near("loadavg", stamp_of(item))
        if not readings:
            continue
        message = item.message
        averages = [tuple(reading[name] for name in ("load1", "load5", "load15")) for reading in readings]
        assert (message.load1, message.load5, message.load15) in averages, f"{message}, we read {set(averages)}"
        assert close_enough(message.load1_per_cpu, message.load1 / run.recording["/cpu"][0].message.online_count)
        low, high = (choose(reading["tasks_total"] for reading in readings) for choose in (min, max))
        assert low - 8 <= message.tasks_total <= high + 8, f"tasks_total is {message.tasks_total}, {low}..{high}"
        checked += 1
    assert checked > 8, f"only {checked} messages"


@check("/system/uptime: lies between our readings")
async def _(run):
    boot_time = next(
        int(line.split()[1]) for line in open("/proc/stat", encoding="ascii") if line.startswith("btime"))
    count = 0
    for before, message, after in run.recording.around("uptime", "/system/uptime"):
        count += 1
        assert before[0] <= message.uptime_seconds <= after[0], f"{message.uptime_seconds}: {before[0]}..{after[0]}"
        assert before[1] - 0.1 <= message.idle_cpu_seconds_total <= after[1] + 0.1
        assert abs(message.boot_time_seconds - boot_time) <= 1
    assert count > 8, f"only {count} messages"


@check("/system/info: is this host")
async def _(run):
    info = run.recording["/system/info"][0].message
    for field, file in (
            ("hostname", "hostname"), ("kernel_name", "ostype"), ("kernel_release", "osrelease"),
            ("kernel_version", "version"), ("boot_id", "random/boot_id")):
        expected = pathlib.Path("/proc/sys/kernel", file).read_text().rstrip("\n")
        assert getattr(info, field) == expected, f"{field} is {getattr(info, field)!r}, not {expected!r}"
    assert info.machine == os.uname().machine
    assert info.endianness == {"little": "LE", "big": "BE"}[sys.byteorder]
    assert info.logical_cpus_online == os.sysconf("SC_NPROCESSORS_ONLN")
    assert info.page_size_bytes == os.sysconf("SC_PAGESIZE") and info.user_tick_hertz == TICK_HERTZ
    assert info.agent_version


@check("/agent: tells the truth about itself", needs_process=True)
async def _(run):
    async with Client(run.url) as client:
        await client.subscribe("/agent", "/cpu")
        received = await client.collect(2.5)
        pid = run.agent.process.pid
        status = dict(line.split(":", 1) for line in open(f"/proc/{pid}/status", encoding="utf-8"))
        open_files = len(os.listdir(f"/proc/{pid}/fd"))
        columns = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        message = [item for item in received if item.topic == "/agent"][-1].message
        assert message.clients == 1 and message.subscriptions == 2, (message.clients, message.subscriptions)
        resident = int(status["VmRSS"].split()[0]) * 1024
        assert abs(message.resident_bytes - resident) < 4 << 20, f"{message.resident_bytes}, /proc says {resident}"
        assert message.threads == int(status["Threads"])
        assert abs(message.open_fds - open_files) <= 1, f"{message.open_fds}, /proc says {open_files}"
        cpu_seconds = (int(columns[11]) + int(columns[12])) / TICK_HERTZ
        assert abs(message.cpu_seconds_total - cpu_seconds) < 0.1, f"{message.cpu_seconds_total}, not {cpu_seconds}"
        assert message.messages_per_second > 5 and message.sent_bytes_per_second > 500
        assert message.messages_dropped_total == 0
        collectors = {entry.id: entry for entry in message.collectors}
        assert set(collectors) == set(SOURCES) - {"/config", "/log"}, f"differ: {set(collectors) ^ set(SOURCES)}"
        cpu = collectors["/cpu"]
        assert cpu.requested_hertz == 10 and abs(cpu.actual_hertz - 10) < 1, (cpu.requested_hertz, cpu.actual_hertz)
        assert cpu.samples_total > 20 and cpu.errors_total == 0 and cpu.parse_errors_total == 0
        assert 0 < cpu.read_seconds <= cpu.read_seconds_max < 0.1


# Commands


def effective(message):
    """The settings on /config, by topic."""
    settings = {}
    for entry in message.channels:
        settings[entry.id] = {
            field.name: getattr(entry, field.name)
            for field in entry.DESCRIPTOR.fields if field.name != "id" and entry.HasField(field.name)}
    return settings


def rates_of(settings):
    return {topic: pairs["rate_hertz"] for topic, pairs in settings.items() if "rate_hertz" in pairs}


async def read_config(url):
    async with Client(url) as client:
        await client.subscribe("/config")
        async for item in client.messages(1):
            return effective(item.message)
    raise AssertionError("/config sent nothing")


@check("/config is latched and names every channel")
async def _(run):
    first, second = await read_config(run.url), await read_config(run.url)
    assert first == second
    assert set(first) == set(SOURCES), f"differs: {set(first) ^ set(SOURCES)}"
    for topic, settings in first.items():
        expected = {"enabled"} if topic in EVENT_TOPICS else {"enabled", "rate_hertz", "window_seconds"}
        assert set(settings) == expected, f"{topic}: {set(settings)}"


@check("parameters: those of /config, and no rate where there is none")
async def _(run):
    settings = await read_config(run.url)
    async with Client(run.url) as client:
        await client.send_json({"op": "getParameters", "parameterNames": [], "id": "all"})
        assert await client.wait(lambda: "/cpu.rate_hertz" in client.parameters), "no parameters"
        found = {name: value for name, value in client.parameters.items() if name.startswith("/")}
        expected = {f"{topic}.{key}": value for topic, pairs in settings.items() for key, value in pairs.items()}
        assert found == expected, set(found.items()) ^ set(expected.items())


@check("latched channels come at once, whoever has them already")
async def _(run):
    topics = ["/config", "/system/info", "/net/addresses"]
    async with Client(run.url) as first:
        await first.subscribe(*topics)
        shown = {item.topic: item for item in await first.collect(0.5)}
        assert set(shown) == set(topics), set(shown)
        async with Client(run.url) as second:
            await second.subscribe(*topics)
            received = await second.collect(0.5)
            assert sorted(item.topic for item in received) == sorted(topics), [item.topic for item in received]
            for item in received:
                wait = item.arrival - second.subscribed_at[item.topic]
                assert wait < 0.3, f"{item.topic} came {wait:.2f} s after subscribing"
                assert item.payload == shown[item.topic].payload, f"{item.topic} is another one"


async def change_rate(client, rate, seconds):
    """Sets the rate of /cpu; the messages of /cpu since, and when the patch was sent and shown on /config."""
    sent = time.monotonic()
    await client.set_rates(**{"/cpu": rate})
    received = await client.collect(seconds)
    shown = [item.arrival for item in received
             if item.topic == "/config" and effective(item.message)["/cpu"]["rate_hertz"] == rate]
    assert shown, f"/config never showed {rate} Hz"
    assert shown[0] - sent < 0.3, f"/config showed {rate} Hz only after {shown[0] - sent:.2f} s"
    return [item for item in received if item.topic == "/cpu"], sent, shown[0]


def check_spacing(items, after, period):
    stamps = [stamp_of(item) for item in items if item.arrival > after]
    spacing = statistics.median(later - earlier for earlier, later in zip(stamps, stamps[1:])) / 1e9
    assert abs(spacing - period) < 0.05 * period, f"median spacing is {spacing:.4f} s, not {period}"


@check("a patch changes a rate within one new period")
async def _(run):
    async with Client(run.url) as client:
        await client.subscribe("/cpu", "/config")
        await client.collect(0.3)
        slow, _, shown = await change_rate(client, 0.5, 1.5)
        assert sum(item.arrival > shown for item in slow) <= 2, "0.5 Hz is too fast"
        fast, sent, shown = await change_rate(client, 50, 2)
        assert fast, "no message at 50 Hz"
        wait = fast[0].arrival - sent
        assert wait < 0.02 + 0.2, f"the first message came {wait:.3f} s after the patch, not the new period of 0.02 s"
        check_spacing(fast, shown, 0.02)
        count = sum(item.arrival > sent + 1 for item in fast)
        assert 45 <= count <= 55, f"{count} messages in a second at 50 Hz"
        medium, _, shown = await change_rate(client, 4, 2.2)
        check_spacing(medium, shown, 0.25)
        for before, after in zip(fast + medium, fast[1:] + medium):
            assert after.message.header.sequence == before.message.header.sequence + 1
        checked = check_shares(Recording(fast, {}))
        assert checked > 30, f"the shares of only {checked} messages could be checked at 50 Hz"
        await change_rate(client, 10, 0.3)


@check("a patch may give the channels as a list, as viewers build it")
async def _(run):
    async with Client(run.url) as client:
        await client.publish({
            "header": {"stamp": {"sec": 0, "nsec": 0}, "interval_seconds": 0, "sequence": 0},
            "channels": [{"id": "/memory", "rate_hertz": 7}, {"id": "/net", "rate_hertz": 3}]})
        await asyncio.sleep(0.2)
        # Statuses with an id are for everybody, and may come of a rate that was set before.
        assert all("id" in status for status in client.statuses), client.statuses
        settings = await read_config(run.url)
        assert settings["/memory"]["rate_hertz"] == 7 and settings["/net"]["rate_hertz"] == 3
        await client.set_rates(**{"/memory": 5, "/net": 10})
        await asyncio.sleep(0.1)


def rate_patch(value):
    return b'{"channels": {"/cpu": {"rate_hertz": %s}}}' % value


# What is wrong with a patch, the patch, and what the answer must name.
WRONG_PATCHES = [
    ("not JSON", b"rate 20", []),
    ("cut off", b'{"channels": {"/cpu": {"rate_hertz": 20}}', []),
    ("empty", b"", []),
    ("not UTF-8", b'{"channels": {"\xff": {}}}', []),
    ("not an object", b"[1]", []),
    ("unknown key at the top", b'{"chanels": {"/cpu": {"rate_hertz": 20}}}', ["chanels"]),
    ("unknown key of a channel", b'{"channels": {"/cpu": {"rate_herz": 20}}}', ["/cpu", "rate_herz"]),
    ("unknown key next to a good one", b'{"channels": {"/cpu": {"rate_hertz": 20, "colour": 1}}}', ["colour"]),
    ("unknown channel", b'{"channels": {"/absent": {"rate_hertz": 20}}}', ["/absent"]),
    ("unknown channel next to a good one",
     b'{"channels": {"/cpu": {"rate_hertz": 20}, "/absent": {"rate_hertz": 20}}}', ["/absent"]),
    ("unknown channel in a list", b'{"channels": [{"id": "/absent", "rate_hertz": 20}]}', ["/absent"]),
    ("rate of 0", rate_patch(b"0"), ["/cpu", "rate_hertz", "0.001", "1000"]),
    ("rate of 1001", rate_patch(b"1001"), ["/cpu", "rate_hertz", "1001", "0.001", "1000"]),
    ("rate of 0.0009", rate_patch(b"0.0009"), ["/cpu", "rate_hertz", "0.0009", "0.001", "1000"]),
    ("rate of 1e999", rate_patch(b"1e999"), []),
    ("rate of -1", rate_patch(b"-1"), ["/cpu", "rate_hertz", "-1", "0.001", "1000"]),
    ('rate of "NaN"', rate_patch(b'"NaN"'), ["/cpu", "rate_hertz"]),
    ('rate of "20"', rate_patch(b'"20"'), ["/cpu", "rate_hertz"]),
    ("rate of NaN", rate_patch(b"NaN"), []),
    ("rate of null", rate_patch(b"null"), ["/cpu", "rate_hertz"]),
    ("rate of true", rate_patch(b"true"), ["/cpu", "rate_hertz"]),
    ("rate of a list", rate_patch(b"[20]"), ["/cpu", "rate_hertz"]),
    ("enabled of 1", b'{"channels": {"/cpu": {"enabled": 1}}}', ["/cpu", "enabled"]),
    ("enabled of null", b'{"channels": {"/cpu": {"enabled": null}}}', ["/cpu", "enabled"]),
    ("window of 10.5", b'{"channels": {"/cpu": {"window_seconds": 10.5}}}', ["/cpu", "window_seconds", "10.5", "10"]),
    ("window of -1", b'{"channels": {"/cpu": {"window_seconds": -1}}}', ["/cpu", "window_seconds", "-1"]),
    ("rate of a channel without one", b'{"channels": {"/config": {"rate_hertz": 1}}}', ["/config", "rate_hertz"]),
    ("settings that are no object", b'{"channels": {"/cpu": 20}}', ["/cpu"]),
    ("channels that are no object", b'{"channels": 20}', ["channels"]),
]


@check("a wrong patch changes nothing and is answered with what is wrong")
async def _(run):
    before = await read_config(run.url)
    problems = []
    async with Client(run.url) as client:
        await client.subscribe("/config")
        await client.collect(0.3)
        for name, patch, expected in WRONG_PATCHES:
            texts = []
            for _ in range(2):
                count = len(client.statuses)
                await asyncio.sleep(0.03)  # The agent takes 50 messages a second from a client.
                await client.publish(patch)
                if not await client.wait(lambda: len(client.statuses) > count):
                    problems.append(f"{name}: no status")
                    break
                status = client.statuses[count]
                texts.append(status["message"])
                if status["level"] != 2:
                    problems.append(f"{name}: status of level {status['level']}")
                for word in expected:
                    if word not in status["message"]:
                        problems.append(f"{name}: {status['message']!r} does not name {word}")
            if len(set(texts)) > 1:
                problems.append(f"{name}: the text differs when the mistake is made again: {texts}")
        changes = await client.collect(0.2)
        if changes:
            problems.append(f"/config was published {len(changes)} times")
    if await read_config(run.url) != before:
        problems.append("the configuration changed")
    assert not problems, "; ".join(problems)


@check("a channel that is switched off is gone until it is switched on")
async def _(run):
    async with Client(run.url) as client:
        identifier = client.channels["/load"].id
        await client.subscribe("/load")
        try:
            await client.publish({"channels": {"/load": {"enabled": False}}})
            assert await client.wait(lambda: "/load" in client.unadvertised), "no unadvertise"
            async with Client(run.url) as other:
                assert "/load" not in other.channels
            assert (await read_config(run.url))["/load"]["enabled"] is False
        finally:
            await client.publish({"channels": {"/load": {"enabled": True}}})
        assert await client.wait(lambda: "/load" in client.channels), "no advertise"
        assert client.channels["/load"].id != identifier, "the id was used again"
        await client.subscribe("/load")
        assert await client.collect(0.5), "no message after it was switched on"


# The process

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: " + SDK_V1.encode() + b"\r\n\r\n")


@check("nobody subscribes, nothing runs", needs_process=True)
async def _(run):
    def activity():
        pid = run.agent.process.pid
        lines = pathlib.Path(f"/proc/{pid}/status").read_text() + pathlib.Path(f"/proc/{pid}/io").read_text()
        values = dict(line.split(":", 1) for line in lines.splitlines())
        return int(values["voluntary_ctxt_switches"]), int(values["syscr"])

    async with Client(run.url):
        await asyncio.sleep(0.5)
        before = activity()
        await asyncio.sleep(3)
        switches, reads = (after - old for after, old in zip(activity(), before))
        assert switches <= 6 and reads <= 6, f"{switches} wake-ups and {reads} reads in 3 s"


@check("a filesystem that never answers stops nothing", needs_process=True)
async def _(run):
    if os.geteuid() != 0 or not os.path.exists("/dev/fuse"):
        print("     not checked: it takes root and /dev/fuse to mount one")
        return
    with tempfile.TemporaryDirectory() as folder:
        helper = pathlib.Path(__file__).with_name("silent_filesystem.py")
        target = pathlib.Path(folder, "silent")
        target.mkdir()
        start = pathlib.Path(folder, "start")
        command = f"{sys.executable} {helper} {target} {os.path.abspath(run.path)}"
        start.write_text(f'#!/bin/sh\nexec unshare --mount {command} "$@"\n')
        start.chmod(0o755)
        with Agent(str(start), "--rate", "/filesystem=1") as agent:
            async with Client(agent.url) as client:
                await client.await_channels("/filesystem")
                await client.subscribe("/cpu", "/filesystem", "/log")
                received = await client.collect(6)
            messages = [item.message for item in received if item.topic == "/filesystem"]
            assert len(messages) >= 3, f"{len(messages)} messages in 6 s, of which 2 s are the time that is waited"
            for message in messages:
                states = {entry.id: entry.state for entry in message.filesystems}
                assert states[str(target)] == 3 and states["/"] == 1, states
            notes = [item.message.message for item in received if item.topic == "/log"]
            assert sum(f"{target} does not answer" in note for note in notes) == 1, notes
            count = sum(item.topic == "/cpu" for item in received)
            assert count >= 55, f"/cpu came {count} times in 6 s"
            status, seconds = agent.terminate()
            assert status == 0 and seconds < 1, f"ended with {status} after {seconds:.1f} s"


# Made-up hosts


FIXTURE = pathlib.Path(__file__).parent.parent / "Fixtures/hosts/laptop/t0"
NO_BOOST = {"boost": {"enabled": False}}


@contextlib.contextmanager
def made_up_host(files=(), settings=NO_BOOST, sysfs=None):
    """A folder with proc, sys and a file of settings, and the options that make an agent look there."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "proc").mkdir()
        shutil.copytree(sysfs, folder / "sys", symlinks=True) if sysfs else (folder / "sys").mkdir()
        for path, text in dict(files).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        (folder / "settings.json").write_text(json.dumps(settings))
        yield folder, [
            f"--path.procfs={folder}/proc", f"--path.sysfs={folder}/sys", f"--config={folder}/settings.json"]


def make_pipe(path, text="", seconds=None):
    """In place of a file: a pipe that gives each reader `text` after some seconds, or never anything."""
    path.unlink(missing_ok=True)
    os.mkfifo(path)

    def answer():
        while True:
            with open(path, "w", encoding="ascii") as pipe:  # As soon as somebody reads.
                time.sleep(seconds)
                pipe.write(text)
            time.sleep(0.2)  # The reader sees the end before another one begins.

    if seconds is not None:
        threading.Thread(target=answer, daemon=True).start()


def texts_of(received):
    """What /log told."""
    return [item.message.message for item in received if item.topic == "/log"]


def check_steady(received, topic, rate, seconds):
    """No tick is lost."""
    sequences = [item.message.header.sequence for item in received if item.topic == topic]
    assert sequences == list(range(1, len(sequences) + 1)), f"{topic}: {sequences}"
    assert len(sequences) >= 0.95 * rate * seconds - 1, f"{topic} came {len(sequences)} times in {seconds} s"


@check("sensors that answer late or never: their chips are unknown, nothing else is late", needs_process=True)
async def _(run):
    with made_up_host(sysfs=FIXTURE / "sys") as (folder, options):
        chips = {path.read_text().strip(): path.parent for path in (folder / "sys/class/hwmon").glob("*/name")}
        make_pipe(chips["acpitz"] / "temp1_input", "45000\n", seconds=3)
        make_pipe(chips["coretemp"] / "temp1_input")
        with Agent(run.path, *options, "--path.procfs=/proc") as agent:
            async with Client(agent.url) as client:
                await client.await_channels("/sensors")
                await client.subscribe("/sensors", "/cpu", "/net", "/kernel", "/agent", "/log")
                received = await client.collect(9)
            for topic in ("/cpu", "/net", "/kernel"):
                check_steady(received, topic, 10, 9)
            values = {}
            for item in received:
                for entry in item.message.temperatures if item.topic == "/sensors" else ():
                    values.setdefault(entry.id.split("-")[0], []).append(entry.celsius)
            assert all(map(math.isnan, values["coretemp"])), values["coretemp"]
            assert values["acpitz"][-1] == 45 and math.isnan(values["acpitz"][0]), values["acpitz"]
            assert values["nvme"] and not any(map(math.isnan, values["nvme"])), values
            for name, text in (
                    ("coretemp", "does not answer"), ("acpitz", "does not answer"), ("acpitz", "answers again")):
                found = [line for line in texts_of(received) if name in line and text in line]
                assert len(found) == 1, f"{name} {text}: {texts_of(received)}"
            status, seconds = agent.terminate()
            assert status == 0 and seconds < 1, f"ended with {status} after {seconds:.1f} s"


@check("a read that takes 3 s: the channel is named as long as that lasts, nothing else is late", needs_process=True)
async def _(run):
    with made_up_host({"sys/class/power_supply/BAT0/type": "Battery\n"}) as (folder, options):
        make_pipe(folder / "sys/class/power_supply/BAT0/capacity", "50\n", seconds=3)
        with Agent(run.path, *options, "--path.procfs=/proc", "--rate", "/power=0.2") as agent:
            async with Client(agent.url) as client:
                await client.await_channels("/power")
                await client.subscribe("/power", "/cpu", "/agent", "/log")
                received = await client.collect(4.5)
                assert [status["id"] for status in client.statuses] == ["stuck:/power"], client.statuses
                assert "/power" in client.statuses[0]["message"], client.statuses
                assert client.removed_statuses == ["stuck:/power"], client.removed_statuses
            check_steady(received, "/cpu", 10, 4.5)
            stuck = [entry.stuck_seconds for item in received if item.topic == "/agent"
                     for entry in item.message.collectors if entry.id == "/power"]
            assert 2 <= max(stuck) <= 3.5 and stuck[0] == stuck[-1] == 0, stuck
            lines = [line for line in texts_of(received) if line.startswith("/power")]
            assert len(lines) == 2 and "stuck" in lines[0] and "answers again" in lines[1], lines
            supplies = [item.message.supplies[0] for item in received if item.topic == "/power"]
            assert [supply.capacity_ratio for supply in supplies] == [0.5], supplies


@check("a source that appears is offered within 11 s; one that fails is told of", needs_process=True)
async def _(run):
    with made_up_host({"proc/loadavg": "0.11 0.22 0.33 1/23 45\n"}) as (folder, options):
        with Agent(run.path, *options, "--rate", "/load=10") as agent:
            async with Client(agent.url) as client:
                assert "/system/uptime" not in client.channels, set(client.channels)
                await client.subscribe("/load", "/log")
                await client.collect(0.5)
                start = time.monotonic()
                (folder / "proc/uptime").write_text("12.34 5.67\n")
                assert await client.wait(lambda: "/system/uptime" in client.channels, 11), "not offered"
                assert time.monotonic() - start > 0.1
                await client.subscribe("/system/uptime")
                received = await client.collect(0.5)
                assert [item.message.uptime_seconds for item in received if item.topic == "/system/uptime"] == [12.34]
                assert "/system/uptime is offered now" in texts_of(received), texts_of(received)

                os.truncate(folder / "proc/loadavg", 0)
                received = await client.collect(1)
                lines = [line for line in texts_of(received) if line.startswith("/load was not sampled")]
                assert len(lines) == 1, texts_of(received)
                found = [status["id"] for status in client.statuses if not status["id"].startswith("rate:")]
                assert found == ["source:/load"], client.statuses
                (folder / "proc/loadavg").write_text("0.44 0.22 0.33 1/23 45\n")
                received = await client.collect(1)
                assert client.removed_statuses == ["source:/load"], client.removed_statuses
                assert [item.message.load1 for item in received if item.topic == "/load"][-5:] == [0.44] * 5


@check("an OOM kill: /memory/paging at 20 Hz for as long as is configured", needs_process=True)
async def _(run):
    text = "pgpgin 100\npgpgout 200\noom_kill {}\n"
    settings = {"boost": {"seconds": 3}, "channels": {"/memory/paging": {"rate_hertz": 4}}}
    with made_up_host({"proc/vmstat": text.format(0)}, settings) as (folder, options):
        with Agent(run.path, *options) as agent:
            async with Client(agent.url) as client:
                await client.subscribe("/memory/paging", "/agent", "/log", "/config")
                received = await client.collect(1.5)
                (folder / "proc/vmstat").write_text(text.format(1))
                received += await client.collect(6)
            logs = [item for item in received if item.topic == "/log" and "sampled" in item.message.message]
            assert len(logs) == 1, texts_of(received)
            begin, = logs
            assert "out-of-memory kill seen by /memory/paging" in begin.message.message, begin
            assert begin.message.level == 3, f"level {begin.message.level} is not a warning's"
            end, = (item for item in received if item.topic == "/log" and "as configured" in item.message.message)
            seconds = (end.log_time - begin.log_time) / 1e9
            assert abs(seconds - 3) < 0.2, f"it lasted {seconds:.2f} s"
            times = [item.log_time for item in received if item.topic == "/memory/paging"]
            for low, high, rate in (
                    (times[0], begin.log_time, 4), (begin.log_time, end.log_time, 20), (end.log_time, times[-1], 4)):
                count = sum(low <= moment < high for moment in times)
                expected = rate * (high - low) / 1e9
                assert abs(count - expected) <= 2, f"{count} messages where {expected:.1f} are due at {rate} Hz"
            rates = [entry.requested_hertz for item in received if item.topic == "/agent"
                     for entry in item.message.collectors if entry.id == "/memory/paging"]
            assert set(rates) == {4, 20} and rates[0] == rates[-1] == 4, rates
            shown = [effective(item.message)["/memory/paging"]["rate_hertz"] for item in received
                     if item.topic == "/config"]
            assert shown == [4], f"/config shows {shown}, but what is configured stays"


@check("entries: include, exclude and max_entries change with SIGHUP, and subscriptions stay", needs_process=True)
async def _(run):
    lines = pathlib.Path("/proc/net/dev").read_text().splitlines()[2:]
    names = [line.rsplit(":", 1)[0].strip() for line in lines]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "config.json")
        path.write_text("{}")
        with Agent(run.path, "--config", str(path)) as agent:
            async with Client(agent.url) as client:
                await client.subscribe("/net", "/agent")
                for settings, expected in (
                        ({}, names), ({"include": "lo"}, ["lo"]), ({"exclude": "l.*"}, [
                            name for name in names if not name.startswith("l")]),
                        ({"max_entries": 1}, None), ({}, names)):
                    path.write_text(json.dumps(NO_BOOST | {"channels": {"/net": settings}}))
                    agent.process.send_signal(signal.SIGHUP)
                    received = await client.collect(2.2)
                    messages = [item.message for item in received if item.topic == "/net"]
                    assert len(messages) > 15, f"{len(messages)} messages in 2.2 s"
                    found = [interface.id for interface in messages[-1].interfaces]
                    # Which one it is when there may be one, is the agent's choice.
                    assert len(found) == 1 if expected is None else sorted(found) == sorted(expected), (settings, found)
                    left_out = [entry.entries_suppressed for item in received if item.topic == "/agent"
                                for entry in item.message.collectors if entry.id == "/net"][-1]
                    assert left_out == (len(names) - 1 if "max_entries" in settings else 0), f"{settings}: {left_out}"
                assert client.close_code is None and not client.unadvertised, client.unadvertised


# Prints how often a program of this machine was woken in its best second, if it wants to be each millisecond.
WAKEUPS = """
import bisect, time
times = []
while not times or times[-1] < times[0] + 4:
    time.sleep(0.001 - time.monotonic() % 0.001)
    times.append(time.monotonic())
print(max(bisect.bisect_left(times, moment + 1) - place for place, moment in enumerate(times)))
"""


@check("/fast at 1000 Hz: small messages, no gaps; /jitter tells how late they are", needs_process=True)
async def _(run):
    with Agent(run.path, "--config", run.settings.name, "--rate", "/fast=1000") as agent:
        async with Client(agent.url) as client:
            await client.subscribe("/fast", "/jitter", "/agent")
            other = subprocess.Popen([sys.executable, "-c", WAKEUPS], stdout=subprocess.PIPE)
            received = await client.collect(5)
            possible = int(other.communicate()[0])
    fast = [item for item in received if item.topic == "/fast"]
    longest = max(len(item.payload) for item in fast)
    assert longest <= 80, f"a message of {longest} bytes"
    sequences = [item.message.header.sequence for item in fast]
    assert sequences == list(range(1, len(fast) + 1)), "a gap"
    stamps = [stamp_of(item) for item in fast]
    # Where others use the machine, no program is woken as often as it wants.
    share = 0.95 if possible > 980 else 0.5
    counts = [bisect.bisect_left(stamps, stamp + 1_000_000_000) - place for place, stamp in enumerate(stamps)]
    assert max(counts) >= share * min(possible, 1000), f"{max(counts)} messages a second, {possible} are possible"
    missed = [entry.overruns_total for item in received if item.topic == "/agent"
              for entry in item.message.collectors if entry.id == "/fast"][-1]
    due = (stamps[-1] - stamps[0]) / 1e6
    assert len(fast) + missed >= 0.99 * due - 1000, f"{len(fast)} messages and {missed} missed of {due:.0f}"
    for item in fast[200:]:
        message = item.message
        # The kernel counts whole ticks of up to 4 ms, of which a span of 10 ms may see two too many.
        assert not 0 > message.busy_cores and not message.busy_cores > 1.8 * os.cpu_count(), message
        assert not 0 > message.cpu_stall_ratio and not message.cpu_stall_ratio > 1, message
        assert 0 <= message.wakeup_lateness_seconds < 1, message
    jitters = [item.message for item in received if item.topic == "/jitter"][1:]
    assert len(jitters) >= 8, f"{len(jitters)} messages of /jitter"
    for message in jitters:
        assert 0 <= message.p50_seconds <= message.p99_seconds <= 1.016 * message.max_seconds < 1, message
        assert message.last_seconds <= message.max_seconds, message
    latest = sorted(message.wakeup_lateness_seconds for message in (item.message for item in fast))[-1]
    assert latest <= max(message.max_seconds for message in jitters) + 1e-3, "/fast was later than /jitter knows"
    assert max(message.wakeups_per_second for message in jitters) >= 0.95 * max(counts), jitters


def connect_from(pid, port):
    """A connection to a port of this machine as the process sees it, in a network namespace of its own."""
    libc = ctypes.CDLL(None, use_errno=True)

    def connect():  # On a thread of its own, which alone goes there.
        with open(f"/proc/{pid}/ns/net", "rb") as namespace:
            if libc.setns(namespace.fileno(), 0) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        return socket.create_connection(("127.0.0.1", port), timeout=5)

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(connect).result()


@check("/net/addresses: at once, and when an address comes or goes", needs_process=True)
async def _(run):
    if os.geteuid() != 0:
        print("     not checked: it takes root to add an address")
        return
    with tempfile.TemporaryDirectory() as folder:
        start = pathlib.Path(folder, "start")
        start.write_text(
            "#!/bin/sh\nexec unshare --net sh -c 'ip link set lo up && exec \"$0\" \"$@\"' "
            f"{os.path.abspath(run.path)} \"$@\"\n")
        start.chmod(0o755)
        with Agent(str(start)) as agent:
            pid = agent.process.pid
            async with Client(agent.url, connection=connect_from(pid, agent.port)) as client:
                await client.subscribe("/net/addresses")

                async def ids(seconds=0.5):
                    return [sorted(entry.id for entry in item.message.addresses)
                            for item in await client.collect(seconds)]

                assert (await ids())[-1] == ["lo 127.0.0.1/8", "lo ::1/128"]
                for action, expected in (
                        ("add", ["lo 127.0.0.1/8", "lo 192.0.2.7/24", "lo ::1/128"]),
                        ("del", ["lo 127.0.0.1/8", "lo ::1/128"])):
                    subprocess.run(
                        ["nsenter", f"--net=/proc/{pid}/ns/net", "ip", "address", action, "192.0.2.7/24", "dev", "lo"],
                        check=True)
                    found = await ids()
                    assert found and found[-1] == expected and len(found) <= 2, f"{action}: {found}"
                assert await ids(1) == [], "a message without a change"


@check("a busy port: exit status 1 and one line", needs_process=True)
async def _(run):
    result = run.agent_output("--port", str(run.agent.port))
    assert result.returncode == 1, f"exit status {result.returncode}"
    assert result.stderr.count("\n") == 1 and str(run.agent.port) in result.stderr, repr(result.stderr)


@check("wrong usage: exit status 2", needs_process=True)
async def _(run):
    for options in (
            ["--nonsense"], ["stray"], ["--port"], ["--port", "x"], ["--port", "65536"], ["--port", "-1"],
            ["--rate", "/cpu"], ["--rate", "/cpu=0"], ["--rate", "/cpu=1001"], ["--rate", "/cpu=x"],
            ["--rate", "/absent=1"], ["--log-level", "loud"], ["--log.format", "xml"], ["--host", "0.0.0.0"],
            ["--host", "::"],
            ["--allow-origin", "https://example.com/"], ["--allow-origin", "null"], ["--allow-origin", "*"],
            ["--server-name", "example.com:80"], ["--read-only=yes"], ["--token-file"],
            ["token"], ["token", "new"], ["token", "new", "--role", "admin"], ["token", "new", "--role"],
            ["token", "new", "--role", "viewer", "--name", "a:b"], ["token", "new", "--role", "viewer", "stray"]):
        result = run.agent_output(*options)
        assert result.returncode == 2, f"{options}: exit status {result.returncode}"
        assert result.stderr.strip(), f"{options}: nothing on stderr"


@check("--help and --version: exit status 0", needs_process=True)
async def _(run):
    result = run.agent_output("--help")
    assert result.returncode == 0
    for option in (
            "--help", "--version", "--host", "--port", "--name", "--rate", "--path.procfs", "--path.sysfs",
            "--path.rootfs", "--log-level", "--log.format", "--token-file", "--allow-origin",
            "--server-name", "--read-only",
            "--insecure", "token new"):
        assert option in result.stdout, f"--help lacks {option}"
    result = run.agent_output("--version")
    assert result.returncode == 0 and result.stdout.strip(), repr(result.stdout)


def listed_channels(output):
    """(rate, state) by topic, of what `list channels` printed."""
    lines = [line.split(maxsplit=1) for line in output.splitlines()[1:] if line.startswith("/")]
    return {topic: tuple(part.strip() for part in re.match(r"(on change|\S+ Hz) (.*)", rest).groups())
            for topic, rest in lines}


@check("list channels: what is available is what an agent advertises", needs_process=True)
async def _(run):
    result = run.agent_output("list", "channels")
    assert result.returncode == 0 and not result.stderr, result
    assert max(map(len, result.stdout.splitlines())) <= 80, result.stdout
    channels = listed_channels(result.stdout)
    available = {topic for topic, (_, state) in channels.items() if state == "available"}
    async with Client(run.url) as client:
        # Sources that may block are found a moment later.
        assert await client.wait(lambda: set(client.channels) == available), set(client.channels) ^ available
    for topic, (_, state) in channels.items():
        assert state == "available" or state.startswith("absent: "), (topic, state)
    assert channels["/cpu"][0] == "10 Hz" and channels["/config"] == ("on change", "available"), channels


@check("list channels: heeds options, and waits for nobody", needs_process=True)
async def _(run):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "loadavg").write_text("0.50 0.40 0.30 1/200 4242\n")
        os.mkfifo(folder / "mdstat")  # Nobody writes into it.
        (folder / "config").write_text('{"channels": {"/cpu": {"enabled": false}, "/load": {"rate_hertz": 3}}}')
        start = time.monotonic()
        result = run.agent_output("list", "channels", "--path.procfs", name, "--config", str(folder / "config"))
        assert time.monotonic() - start < 5, "it waits"
        assert result.returncode == 0, result
        channels = listed_channels(result.stdout)
        assert channels["/load"] == ("3 Hz", "available"), channels["/load"]
        assert channels["/memory"] == ("5 Hz", "absent: this host has none (ENOENT)"), channels["/memory"]
        assert channels["/md"] == ("0.2 Hz", "absent: this host has none (ENOENT)"), channels["/md"]
        assert channels["/cpu"] == ("10 Hz", "disabled by the configuration"), channels["/cpu"]


@check("list: other words are wrong usage", needs_process=True)
async def _(run):
    for words in (["list"], ["list", "rates"], ["list", "channels", "stray"], ["--time", "list"]):
        result = run.agent_output(*words)
        assert result.returncode == 2 and "list channels" in result.stderr, (words, result)
    result = run.agent_output("stray", "--host", "127.0.0.1")
    assert result.returncode == 2 and "stray" in result.stderr, result


@check("layout: prints what the agent offers, for this host", needs_process=True)
async def _(run):
    result = run.agent_output("layout")
    names = [line.split()[0] for line in result.stdout.splitlines()]
    assert result.returncode == 0 and names == ["overview", "cpu", "network", "sensors"], result
    async with Client(run.url) as client:
        for name in names:
            result = run.agent_output("layout", name)
            assert result.returncode == 0 and not result.stderr, result
            panels = json.loads(result.stdout)["configById"]
            offered = json.loads(await client.fetch_asset(f"sysmon://layouts/{name}.json"))["configById"]
            assert set(panels) == set(offered), set(panels) ^ set(offered)
            fetched = json.loads(fetch(run.agent, f"/layouts/{name}.json").body)["configById"]
            assert set(panels) == set(fetched), set(panels) ^ set(fetched)
            if name == "network":
                lines = [line["value"] for line in panels["Plot!network"]["paths"]]
                interfaces = {re.fullmatch(r'/net\.interfaces\[:\]\{id=="(.*)"\}\.\w+', line)[1] for line in lines}
                assert interfaces and interfaces <= set(os.listdir("/sys/class/net")), interfaces
        assert await client.fetch_asset("sysmon://layouts/other.json") is None
    result = run.agent_output("layout", "other")
    assert result.returncode == 2 and "overview, cpu, network, sensors" in result.stderr, result
    result = run.agent_output("layout", "cpu", "--path.procfs", "/nowhere")
    assert result.returncode == 1 and "path.procfs: /nowhere" in result.stderr, result


@check("--name, --rate and --path.procfs have their effect", needs_process=True)
async def _(run):
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "loadavg").write_text("0.11 0.22 0.33 1/23 45\n")
        options = ["--name", "some name", "--rate", "/load=4", f"--path.procfs={folder}"]
        with Agent(run.path, *options) as agent:
            async with Client(agent.url) as client:
                assert client.server_info["name"] == "some name", client.server_info["name"]
                assert "/load" in client.channels and "/memory" not in client.channels, set(client.channels)
                await client.subscribe("/load")
                received = await client.collect(1.1)
                message = received[0].message
                assert (message.load1, message.load15, message.last_pid) == (0.11, 0.33, 45), message
                assert 4 <= len(received) <= 6, f"{len(received)} messages in 1.1 s at 4 Hz"


# Who may connect


def upgrade(port, target="/", fields=(), subprotocol=SDK_V1):
    """The status line and header lines that a request to become a WebSocket gets."""
    lines = [
        f"GET {target} HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"Sec-WebSocket-Protocol: {subprotocol}", *fields]
    if not any(field.startswith("Host:") for field in fields):
        lines.append(f"Host: 127.0.0.1:{port}")
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        received = b""
        while b"\r\n\r\n" not in received:
            if not (more := connection.recv(65_536)):
                break
            received += more
    return received.partition(b"\r\n\r\n")[0].decode()


def status(*arguments, **options):
    head = upgrade(*arguments, **options)
    return int(head.split(" ")[1]) if head else None


def token_line(token, role="operator", name="someone"):
    return f"{role}:{name}:{hashlib.sha256(token.encode()).hexdigest()}\n"


@contextlib.contextmanager
def token_file(*lines):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "tokens")
        path.touch(0o600)
        path.write_text("".join(lines))
        yield path


async def lines_with(agent, text, count=1):
    """Waits for lines of the agent's that hold `text`."""
    for _ in range(100):
        found = [line for line in agent.lines if text in line]
        if len(found) >= count:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"{text!r} is not in {agent.lines}")


@check("pages and names of others: 403, and a line that names the setting", needs_process=True)
async def _(run):
    with Agent(run.path, "--allow-origin", "https://studio.example:*", "--server-name", "box.example") as agent:
        for fields, expected in (
                (["Origin: http://localhost:8080"], 101), (["Origin: https://app.foxglove.dev"], 101),
                (["Origin: https://studio.example:8443"], 101), (["Origin: https://evil.example"], 403),
                (["Origin: null"], 403), (["Host: box.example"], 101), (["Host: evil.example"], 403)):
            answer = status(agent.port, fields=fields)
            assert answer == expected, f"{fields}: {answer}"
        for option in ("--allow-origin", "--server-name"):
            found = await lines_with(agent, option)
            assert len(found) == 1 and "127.0.0.1" in found[0], found


@check("tokens: in four forms, and as long as people like", needs_process=True)
async def _(run):
    # Around the places where a digest takes another block.
    tokens = ["x" * length for length in (1, 54, 55, 56, 63, 64, 65, 119, 120, 500)]
    with token_file(*map(token_line, tokens)) as path, Agent(run.path, "--token-file", str(path)) as agent:
        for token in tokens:
            encoded = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
            name = f"base64url.bearer.authorization.sysmon.{encoded}"
            for target, options in (
                    (f"/?token={token}", {}), (f"/t/{token}", {}),
                    ("/", {"fields": [f"Authorization: Bearer {token}"]}), ("/", {"subprotocol": f"{name}, {SDK_V1}"})):
                head = await asyncio.to_thread(upgrade, agent.port, target, **options)
                assert " 101 " in head and name not in head, f"{target} {options}: {head}"
        start = time.monotonic()
        head = await asyncio.to_thread(upgrade, agent.port, "/?token=secret")
        assert " 401 " in head and "\r\nWWW-Authenticate: Bearer" in head, head
        assert time.monotonic() - start >= 0.2, "too soon"
        assert status(agent.port) == 401
        assert len(await lines_with(agent, "turned away")) == 1
        assert "secret" not in "".join(agent.lines)


@check("token file: read again when it changes; a broken one leaves the old list", needs_process=True)
async def _(run):
    with token_file(token_line("old")) as path, Agent(run.path, "--token-file", str(path)) as agent:
        async with Client(agent.url + "/?token=old") as client:
            await client.subscribe("/load")
            for change, text in (
                    (lambda: path.write_text("nonsense\n"), "line 1"), (lambda: path.write_text(""), "no entries"),
                    (lambda: path.chmod(0o644), "open to other users"), (path.unlink, "No such file")):
                change()
                await asyncio.sleep(1.1)
                for _ in range(3):
                    assert status(agent.port, "/?token=old") == 101, text
                assert len(await lines_with(agent, text)) == 1, agent.lines
                path.touch()
                path.chmod(0o600)
                path.write_text(token_line("old"))
            path.write_text(token_line("new", "viewer"))
            agent.process.send_signal(signal.SIGHUP)
            await lines_with(agent, "1 entries")
            await asyncio.sleep(1.1)
            assert status(agent.port, "/?token=new") == 101
            assert status(agent.port, "/?token=old") == 401
            assert client.close_code is None, "a client was disconnected"


@check("token file: where systemd puts it, systemd sees to its rights", needs_process=True)
async def _(run):
    with token_file(token_line("x")) as path:
        path.chmod(0o440)
        os.environ["CREDENTIALS_DIRECTORY"] = str(path.parent)
        try:
            with Agent(run.path, "--token-file", str(path)) as agent:
                assert status(agent.port, "/?token=x") == 101
        finally:
            del os.environ["CREDENTIALS_DIRECTORY"]


@check("--config: read at the start and on SIGHUP; a broken one changes nothing, nobody is disconnected",
       needs_process=True)
async def _(run):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "config.json")
        path.write_text('{"channels": {"/cpu": {"rate_hertz": 4}, "/load": {"enabled": false}}}')
        with Agent(run.path, "--config", str(path), "--rate", "/net=7") as agent:
            settings = await read_config(agent.url)
            assert settings["/cpu"]["rate_hertz"] == 4 and settings["/net"]["rate_hertz"] == 7, settings
            async with Client(agent.url) as client:
                assert "/load" not in client.channels
                await client.subscribe("/cpu")
                await client.send_json({"op": "subscribeParameterUpdates", "parameterNames": ["/cpu.rate_hertz"]})
                await client.set_rates(**{"/memory": 3})
                for text, expected in (
                        ("{", ":1:1: this bracket is not closed"),
                        ('{"channels": {"/cpu": {"rate_hertz": 0}}}', "0.001 to 1000"),
                        ('{"chanels": {}}', "chanels"), (None, "No such file")):
                    path.unlink() if text is None else path.write_text(text)
                    agent.process.send_signal(signal.SIGHUP)
                    found = await lines_with(agent, expected)
                    assert len(found) == 1 and str(path) in found[0] and "stays in effect" in found[0], found
                    assert (await read_config(agent.url))["/memory"]["rate_hertz"] == 3
                path.write_text('{"channels": {"/cpu": {"rate_hertz": 40}}}')
                agent.process.send_signal(signal.SIGHUP)
                assert await client.wait(lambda: "/load" in client.channels), "the file did not take effect"
                settings = await read_config(agent.url)
                assert settings["/cpu"]["rate_hertz"] == 40 and settings["/memory"]["rate_hertz"] == 5, settings
                assert len(await client.collect(1)) > 20 and client.close_code is None
        path.write_text("{")
        ended = subprocess.run(
            [run.path, "--port", "0", "--config", str(path)], capture_output=True, text=True, timeout=5)
        assert ended.returncode == 1 and len(ended.stderr.splitlines()) == 1 and str(path) in ended.stderr, ended


def with_environment(**variables):
    return {**{name: value for name, value in os.environ.items() if not name.startswith("SYSMON_")}, **variables}


@check("settings: files, conf.d, kept changes, variables and options, of which a later one wins", needs_process=True)
async def _(run):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "conf.d").mkdir()
        (folder / "state").mkdir()
        topics = ["/cpu", "/load", "/memory", "/net", "/disk", "/fds"]

        def settings(rate, topics, more=""):
            rates = ", ".join(f"'{topic}': {{rate_hertz: {rate}}}" for topic in topics)
            return f"{{channels: {{{rates}}}, {more}}}"

        # Every source sets one topic less than the one before.
        (folder / "config.json5").write_text("// A comment.\n" + settings(11, topics, "log: {level: 'debug'},"))
        (folder / "conf.d" / "10-a.json5").write_text(settings(12, topics[1:]))
        (folder / "conf.d" / "20-b.json5").write_text(settings(13, topics[2:]))
        (folder / "conf.d" / "30-c.json").write_text("this is none of them")
        (folder / "state" / "config.json").write_text(settings(14, topics[3:]))
        environment = with_environment(STATE_DIRECTORY=str(folder / "state"), SYSMON_LOG_LEVEL="error")
        options = ["--config", str(folder / "config.json5"), "--set", "/disk.rate_hertz=15", "--rate", "/fds=15"]
        with Agent(run.path, *options, "--set", "channels./fds.rate_hertz=0x10", env=environment) as agent:
            shown = await read_config(agent.url)
            assert [shown[topic]["rate_hertz"] for topic in topics] == [11, 12, 13, 14, 15, 16], shown
            assert not [line for line in agent.lines if "info" in line], "the level of the environment is not in effect"


@check("check-config: all mistakes with line and column, those of conf.d too", needs_process=True)
async def _(run):
    with tempfile.TemporaryDirectory() as name:
        path = pathlib.Path(name, "config.json5")
        path.write_text("{\n  server: {port: 65536},\n  channels: {'/cpuu': {}},\n}\n")
        more = pathlib.Path(name, "conf.d", "a.json5")
        more.parent.mkdir()
        more.write_text("{boost: {secnds: 1}}")
        result = run.agent_output("check-config", str(path))
        assert result.returncode == 1, result
        assert result.stdout.splitlines() == [
            f"{path}:2:18: server.port: 65536 is not a whole number from 0 to 65535",
            f'{path}:3:14: "/cpuu" is no channel; did you mean "/cpu"?',
            f'{more}:1:10: boost: "secnds" is unknown; did you mean "seconds"?'], result.stdout
        more.unlink()
        path.write_text(run.agent_output("config", "default").stdout)
        result = run.agent_output("check-config", str(path))
        assert result.returncode == 0 and not result.stdout + result.stderr, result
        missing = run.agent_output("check-config", name + "/missing")
        assert missing.returncode == 1 and "No such file" in missing.stderr, missing


@check("completion and manual: shells and man take them", needs_process=True)
async def _(run):
    for command in (["manual", "8"], ["manual", "5"]):
        page = run.agent_output(*command)
        assert page.returncode == 0 and ".SH NAME" in page.stdout, page
        if shutil.which("man"):
            shown = subprocess.run(
                ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", "-"], input=page.stdout, text=True,
                capture_output=True, check=False)
            assert shown.returncode == 0 and not shown.stderr, shown.stderr
        if shutil.which("mandoc"):
            lint = subprocess.run(
                ["mandoc", "-T", "lint"], input=page.stdout, text=True, capture_output=True, check=False)
            assert lint.returncode == 0 and not lint.stdout, lint.stdout
    for shell in ("bash", "zsh", "fish"):
        script = run.agent_output("completion", shell)
        assert script.returncode == 0, script
        if shutil.which(shell):
            result = subprocess.run([shell, "-n"], input=script.stdout, text=True, capture_output=True, check=False)
            assert result.returncode == 0 and not result.stderr, (shell, result.stderr)
    bash = run.agent_output("completion", "bash").stdout
    for words, expected in (
            (["li"], "list"), (["token", ""], "new"), (["--log-level", "w"], "warning"), (["--tls.k"], "--tls.key"),
            (["token", "new", "--role", "v"], "viewer"), (["completion", "z"], "zsh")):
        line = " ".join(f"'{word}'" for word in ["sysmon-agent", *words])
        result = subprocess.run(
            ["bash", "-c", f"{bash}\nCOMP_WORDS=({line}); COMP_CWORD={len(words)}; _sysmon_agent; "
                           'printf "%s\\n" "${COMPREPLY[@]}"'], capture_output=True, text=True, check=False)
        assert result.stdout.split() == [expected], (words, result)
    for words in (["completion"], ["completion", "tcsh"], ["manual", "7"], ["check-config", "a", "b"]):
        assert run.agent_output(*words).returncode == 2, words


@check("SIGHUP: what needs a restart is named, the rest takes effect", needs_process=True)
async def _(run):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "config.json5")
        path.write_text("{}")
        with Agent(run.path, "--config", str(path)) as agent:
            origin = ["Origin: https://studio.example"]
            assert status(agent.port, fields=origin) == 403
            path.write_text(
                "{server: {host: '127.0.0.2', read_only: true, allowed_origins: ['https://studio.example']}}")
            agent.process.send_signal(signal.SIGHUP)
            line, = await lines_with(agent, "until the agent is restarted")
            assert "server.host, server.read_only: changed" in line, line
            await lines_with(agent, "the configuration was read again")
            assert status(agent.port, fields=origin) == 101
            async with Client(agent.url) as client:
                await client.set_rates(**{"/load": 3})
                await lines_with(agent, "/load.rate_hertz set")
            assert (await read_config(agent.url))["/load"]["rate_hertz"] == 3, "it is read-only"


@check("persist: a change is written whole, and in effect after a start", needs_process=True)
async def _(run):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "config.json")
        environment = with_environment(STATE_DIRECTORY=folder)
        with Agent(run.path, env=environment) as agent:
            async with Client(agent.url) as client:
                await client.publish({"channels": {"/load": {"rate_hertz": 3}}, "persist": True})
                await client.publish({"channels": {"/net": {"enabled": False}}, "persist": True})
                await client.publish({"channels": {"/disk": {"rate_hertz": 7}}})
                kept = {"channels": {"/load": {"rate_hertz": 3}, "/net": {"enabled": False}}}
                assert await client.wait(lambda: path.exists() and json.loads(path.read_text()) == kept)
            await lines_with(agent, "kept for the next start")
        assert json.loads(path.read_text()) == kept, path.read_text()
        assert path.stat().st_mode & 0o777 == 0o600 and os.listdir(folder) == ["config.json"], os.listdir(folder)
        with Agent(run.path, env=environment) as agent:
            shown = await read_config(agent.url)
            assert shown["/load"]["rate_hertz"] == 3 and not shown["/net"]["enabled"], shown
            assert shown["/disk"]["rate_hertz"] != 7, shown
            async with Client(agent.url) as client:
                # A folder cannot be replaced by a file.
                path.unlink()
                path.mkdir()
                await client.publish({"channels": {"/load": {"rate_hertz": 4}}, "persist": True})
                assert await client.wait(
                    lambda: any("cannot be kept" in entry["message"] for entry in client.statuses)), client.statuses
            assert (await read_config(agent.url))["/load"]["rate_hertz"] == 3
            await lines_with(agent, "changes cannot be kept")
        with Agent(run.path, env=environment) as agent:
            await lines_with(agent, f"{path}: Is a directory")
        path.rmdir()
        path.write_text('{"channels": {"/gone": {"enabled": true}, "/load": {"rate_hertz": 5}}}')
        with Agent(run.path, env=environment) as agent:
            await lines_with(agent, '/gone\\" is no channel')
            assert (await read_config(agent.url))["/load"]["rate_hertz"] == 5
        path.write_text('{"cha')
        with Agent(run.path, env=environment) as agent:
            await lines_with(agent, f"{path}:1:")
        path.unlink()
        with Agent(run.path, "--read-only", env=environment) as agent:
            async with Client(agent.url) as client:
                await client.publish({"channels": {"/load": {"rate_hertz": 4}}, "persist": True})
                assert await client.wait(lambda: client.statuses), "no status"
        assert not path.exists()


@check("100 reloads under load, half of them broken: nobody is disconnected, nothing is missed", needs_process=True)
async def _(run):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "config.json5")
        path.write_text("{boost: {enabled: false}}")
        with Agent(run.path, "--config", str(path)) as agent:
            async with contextlib.AsyncExitStack() as stack:
                clients = [await stack.enter_async_context(Client(agent.url)) for _ in range(4)]
                for client in clients:
                    await client.await_channels("/cpu", "/fast", "/net", "/processes")
                    await client.subscribe("/cpu", "/fast", "/net", "/processes", "/agent")
                collecting = [asyncio.create_task(client.collect(13)) for client in clients]
                for index in range(100):
                    # A good one has two collectors begin anew, one of them on a thread of its own.
                    entries = f"{{max_entries: {index + 1}, rate_hertz: 20}}"
                    path.write_text(
                        f"{{boost: {{enabled: false}}, channels: {{'/net': {entries}, '/processes': {entries}}}"
                        + ("}" if index % 2 else ""))
                    agent.process.send_signal(signal.SIGHUP)
                    await asyncio.sleep(0.1)
                received = await asyncio.gather(*collecting)
                assert all(client.close_code is None for client in clients)
            # At its end the agent tells how often it left out a line that it had told.
            await asyncio.to_thread(agent.terminate)
            for text in ("the configuration was read again", "the configuration read before stays in effect"):
                counts = [int((re.search(r"left_out=(\d+)", line) or [0, 1])[1])
                          for line in await lines_with(agent, text)]
                assert sum(counts) == 50, f"{text}: {counts}"
            for items in received:
                for topic in ("/cpu", "/fast", "/net", "/processes", "/agent"):
                    sequences = [item.message.header.sequence for item in items if item.topic == topic]
                    steps = {after - before for before, after in zip(sequences, sequences[1:])}
                    assert steps == {1}, f"{topic}: sequences go on by {steps}"
                reports = [item.message for item in items if item.topic == "/agent"]
                missed = {
                    topic: [row.overruns_total for report in (reports[0], reports[-1]) for row in report.collectors
                            if row.id == topic] for topic in ("/cpu", "/agent")}
                assert all(first == last for first, last in missed.values()), f"points were missed: {missed}"


@check("cert self-signed: clients that trust its authority connect, others do not", needs_process=True)
async def _(run):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make = ["cert", "self-signed", "--host", "localhost", "--host", "127.0.0.1", "--host", "::1", "--out", name]
        result = run.agent_output(*make)
        assert result.returncode == 0 and f"{folder}/cert.pem" in result.stdout, result
        assert sorted(os.listdir(name)) == ["ca.pem", "cert.pem", "key.pem"], os.listdir(name)
        assert (folder / "key.pem").stat().st_mode & 0o777 == 0o600
        subprocess.run(
            ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", folder / "ca.pem",
             folder / "cert.pem"], check=True, capture_output=True)
        before = (folder / "key.pem").read_text()
        again = run.agent_output(*make)
        assert again.returncode == 1 and "is there already" in again.stderr, again
        assert (folder / "key.pem").read_text() == before
        trusting = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        with Agent(run.path, "--tls.cert", name + "/cert.pem", "--tls.key", name + "/key.pem") as agent:
            for host in ("127.0.0.1", "localhost"):
                async with Client(agent.url.replace("127.0.0.1", host), tls=trusting) as client:
                    await client.await_channels("/cpu")
            try:
                async with Client(agent.url, tls=ssl.create_default_context()):
                    raise AssertionError("a client connected that does not trust the authority")
            except ssl.SSLCertVerificationError:
                pass
    for hosts in ([], ["--host", "a b"], ["--host", "https://x"], ["--host", "x,DNS:y"], ["--host", "-x"]):
        assert run.agent_output("cert", "self-signed", *hosts).returncode == 2, hosts


@check("SIGHUP without a token file changes nothing", needs_process=True)
async def _(run):
    with Agent(run.path) as agent:
        agent.process.send_signal(signal.SIGHUP)
        await lines_with(agent, "no token file")
        assert status(agent.port) == 101


@check("a viewer cannot change rates; with --read-only nobody can", needs_process=True)
async def _(run):
    patch = {"channels": {"/load": {"rate_hertz": 3}}}
    with token_file(token_line("v", "viewer", "vera"), token_line("o")) as path:
        with Agent(run.path, "--token-file", str(path)) as agent:
            async with Client(agent.url + "/?token=v") as viewer, Client(agent.url + "/?token=o") as operator:
                assert viewer.server_info["capabilities"] == operator.server_info["capabilities"] != []
                await viewer.publish(patch)
                assert await viewer.wait(lambda: viewer.statuses), "no status"
                assert "Only operators" in viewer.statuses[0]["message"], viewer.statuses
                await operator.publish(patch)
                found = await lines_with(agent, "rate_hertz")
                assert len(found) == 1, found
        with Agent(run.path, "--token-file", str(path), "--read-only") as agent:
            async with Client(agent.url + "/?token=o") as client:
                assert not {"clientPublish", "services"} & set(client.server_info["capabilities"]), client.server_info


@check("token new: a line on stdout, the token on stderr", needs_process=True)
async def _(run):
    result = run.agent_output("token", "new", "--role", "viewer", "--name=kiosk")
    assert result.returncode == 0, result
    token = result.stderr.splitlines()[-1]
    assert len(base64.urlsafe_b64decode(token + "=")) == 32, token
    assert result.stdout == token_line(token, "viewer", "kiosk"), result.stdout
    assert run.agent_output("token", "new", "--role", "viewer").stdout != result.stdout


@check("a token file that cannot be used: exit status 1 and one line", needs_process=True)
async def _(run):
    with token_file("nonsense") as path:
        for name in (str(path), f"{path}.missing", str(path.parent), "/dev/null"):
            result = run.agent_output("--port", "0", "--token-file", name)
            assert result.returncode == 1 and result.stderr.count("\n") == 1, (name, result)
        path.write_text(token_line("x"))
        path.chmod(0o640)
        result = run.agent_output("--port", "0", "--token-file", str(path))
        assert result.returncode == 1 and "chmod 600" in result.stderr, result


@check("beyond loopback: with tokens, or with --insecure and a warning to every client", needs_process=True)
async def _(run):
    with token_file() as path:
        result = run.agent_output("--host", "0.0.0.0", "--token-file", str(path))
        assert result.returncode == 2 and "--insecure" in result.stderr, result
        path.write_text(token_line("x"))
        with Agent(run.path, "--host", "0.0.0.0", "--token-file", str(path)) as agent:
            assert status(agent.port) == 401 and status(agent.port, "/?token=x") == 101
            await lines_with(agent, "clear text")
    with Agent(run.path, "--host", "0.0.0.0", "--insecure") as agent:
        async with Client(f"ws://127.0.0.1:{agent.port}") as client:
            assert await client.wait(lambda: client.statuses), "no status"
            assert client.statuses[0]["level"] == 1 and "--insecure" in client.statuses[0]["message"], client.statuses


# Plain HTTP on the same port


def fetch(agent, path, method="GET", fields=None, tls=None, body=None):
    """The answer to a request, with its body read."""
    connection = (
        http.client.HTTPSConnection("127.0.0.1", agent.port, timeout=5, context=tls) if tls
        else http.client.HTTPConnection("127.0.0.1", agent.port, timeout=5))
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=fields or {})
        answer = connection.getresponse()
        answer.body = answer.read()
        return answer


def check_http(agent, tls=None):
    for path, expected, kind in (
            ("/", 200, "text/html"), ("/page.js", 200, "text/javascript"), ("/page.css", 200, "text/css"),
            ("/healthz", 200, "text/plain"), ("/readyz", 200, "text/plain"), ("/favicon.ico", 204, None),
            ("/layouts/overview.json", 200, "application/json"), ("/nothing", 404, "text/plain")):
        answer = fetch(agent, path, tls=tls)
        assert answer.status == expected, f"{path}: {answer.status}"
        assert (answer.getheader("Content-Type") or "").startswith(kind or ""), answer.getheaders()
        assert answer.getheader("Connection") == "close"
        head = fetch(agent, path, "HEAD", tls=tls)
        assert head.getheaders() == answer.getheaders() and head.body == b"", path
    assert fetch(agent, "/healthz", tls=tls).body == b"ok\n"
    for name in ("overview", "cpu", "network", "sensors"):
        assert "Tab!" + name in json.loads(fetch(agent, f"/layouts/{name}.json", tls=tls).body)["configById"], name
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        answer = fetch(agent, "/", method, tls=tls, body=b"x" * 100_000 if method == "POST" else None)
        assert (answer.status, answer.getheader("Allow")) == (405, "GET, HEAD"), (method, answer.status)
    assert fetch(agent, "/", tls=tls, body=b"hello").status == 400


@check("HTTP: what there is, what there is not, HEAD and other methods", needs_process=True)
async def _(run):
    check_http(run.agent)


@check("HTTPS: the same, and the WebSocket beside it", needs_process=True)
async def _(run):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        certificate, _ = make_certificate(folder, 1)
        (folder / "1.key").chmod(0o600)
        tls = ssl.create_default_context(cadata=certificate)
        with Agent(run.path, "--tls.cert", str(folder / "1.cert"), "--tls.key", str(folder / "1.key")) as agent:
            await asyncio.to_thread(check_http, agent, tls)
            async with Client(agent.url, tls=tls) as client:
                assert "/cpu" in client.channels
            answer = fetch(agent, "/")
            assert answer.status == 400 and b"https://" in answer.body, answer.body


@check("HTTP: names, pages and tokens as for the WebSocket; layouts for pages that are allowed", needs_process=True)
async def _(run):
    known, foreign = {"Origin": "https://app.foxglove.dev"}, {"Origin": "https://evil.example"}
    assert fetch(run.agent, "/", fields=foreign).status == 403
    assert fetch(run.agent, "/", fields={"Host": "evil.example"}).status == 403
    answer = fetch(run.agent, "/layouts/overview.json", fields=known)
    assert answer.getheader("Access-Control-Allow-Origin") == known["Origin"], answer.getheaders()
    assert answer.getheader("Vary") == "Origin", answer.getheaders()
    assert fetch(run.agent, "/", fields=known).getheader("Access-Control-Allow-Origin") is None
    wish = {"Access-Control-Request-Private-Network": "true"}
    answer = fetch(run.agent, "/layouts/overview.json", "OPTIONS", known | wish)
    assert (answer.status, answer.getheader("Access-Control-Allow-Private-Network")) == (204, "true")
    answer = fetch(run.agent, "/layouts/overview.json", "OPTIONS", foreign | wish)
    assert answer.status == 403 and answer.getheader("Access-Control-Allow-Private-Network") is None
    with token_file(token_line("t", "viewer")) as path, Agent(run.path, "--token-file", str(path)) as agent:
        for target, fields, expected in (
                ("/healthz", {}, 200), ("/readyz", {}, 200), ("/", {}, 401), ("/layouts/overview.json", {}, 401),
                ("/", {"Authorization": "Bearer t"}, 200), ("/?token=t", {}, 307), ("/t/t", {}, 307),
                ("/t/t/", {}, 200), ("/t/t/page.js", {}, 200), ("/page.js?token=t", {}, 200), ("/t/wrong/", {}, 401)):
            answer = await asyncio.to_thread(fetch, agent, target, fields=fields)
            assert answer.status == expected, f"{target}: {answer.status}"
            await asyncio.sleep(0.2)
        assert fetch(agent, "/?token=t").getheader("Location") == "t/t/"


def slow_reader(port, target):
    """A connection that asks for something and has room for little."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", port))
    connection.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return connection


@check("HTTP: a flood of requests on one connection, and clients that do not read, keep nobody waiting",
       needs_process=True)
async def _(run):
    with Agent(run.path) as agent:
        flood = socket.create_connection(("127.0.0.1", agent.port), timeout=5)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            flood.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 100_000)
        before = resident_mebibytes(agent)
        readers = [slow_reader(agent.port, "/cards.js") for _ in range(30)]
        start = time.monotonic()
        assert fetch(agent, "/healthz").status == 200
        async with Client(agent.url) as client:
            await client.subscribe("/cpu")
            assert await client.collect(0.3), "no data"
        assert time.monotonic() - start < 1
        assert resident_mebibytes(agent) - before < 8
        for connection in (flood, *readers):
            connection.close()
        assert fetch(agent, "/").status == 200


def make_certificate(folder, serial):
    """A certificate for 127.0.0.1 and its key, both in PEM."""
    certificate, key = folder / f"{serial}.cert", folder / f"{serial}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-set_serial", str(serial),
         "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate.read_text(), key.read_text()


def served_serial(port):
    """Of the certificate that a new connection is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain, context.wrap_socket(plain) as connection:
        der = connection.getpeercert(binary_form=True)
    text = subprocess.run(
        ["openssl", "x509", "-inform", "der", "-noout", "-serial"], input=der, check=True, capture_output=True).stdout
    return int(text.decode().strip().removeprefix("serial="), 16)


@check("certificate and tokens are replaced under load: nobody is disconnected, what is broken is not taken",
       needs_process=True)
async def _(run):
    with tempfile.TemporaryDirectory() as name, token_file(token_line("t")) as tokens:
        folder = pathlib.Path(name)
        pairs = {serial: make_certificate(folder, serial) for serial in (11, 12, 13)}
        certificate, key = folder / "cert.pem", folder / "key.pem"

        def install(serial, key_of=None):
            certificate.write_text(pairs[serial][0])
            key.write_text(pairs[key_of or serial][1])
            key.chmod(0o600)

        install(11)
        trusted = ssl.create_default_context(cadata=pairs[11][0])
        options = [
            "--tls.cert", str(certificate), "--tls.key", str(key), "--token-file", str(tokens), "--rate", "/cpu=200"]
        with Agent(run.path, *options) as agent:
            assert agent.url.startswith("wss://"), agent.url
            async with contextlib.AsyncExitStack() as stack:
                clients = [
                    await stack.enter_async_context(Client(f"{agent.url}/?token=t", tls=trusted)) for _ in range(4)]
                for client in clients:
                    await client.subscribe("/cpu", "/memory", "/net")
                flow = asyncio.gather(*(client.collect(9) for client in clients))

                def broken(text):
                    return [line for line in agent.lines if "error" in line and text in line]

                async def expect(serial):
                    await asyncio.sleep(1.1)
                    for _ in range(3):
                        assert await asyncio.to_thread(served_serial, agent.port) == serial

                await expect(11)
                install(12)
                await expect(12)
                install(13, key_of=11)  # A pair that does not fit.
                await expect(12)
                assert len(broken("stays in effect")) == 1, agent.lines
                certificate.write_text("nonsense")
                tokens.write_text("nonsense\n")
                agent.process.send_signal(signal.SIGHUP)
                await expect(12)
                assert len(broken("stays in effect")) == 2, agent.lines
                assert len(broken("line 1")) == 1, agent.lines
                install(13)
                tokens.write_text(token_line("t"))
                await expect(13)
                for messages in await flow:
                    sequences = [item.message.header.sequence for item in messages if item.topic == "/cpu"]
                    assert len(sequences) > 1_000, f"{len(sequences)} messages in 9 s"
                    assert sequences == list(range(sequences[0], sequences[0] + len(sequences))), "a gap"
                for client in clients:
                    assert client.close_code is None, "a client was disconnected"
            assert status(agent.port) == 400, "plain HTTP"


@check("TLS: what cannot be used is named at the start", needs_process=True)
async def _(run):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        certificate, key = folder / "cert.pem", folder / "key.pem"
        certificate.write_text((pair := make_certificate(folder, 1))[0])
        key.write_text(pair[1])
        key.chmod(0o644)
        closed = folder / "closed.pem"
        closed.write_text(pair[1])
        closed.chmod(0o600)
        for options, expected, text in (
                (["--tls.cert", str(certificate)], 2, "belong together"),
                (["--tls.client-ca", str(certificate)], 2, "needs tls.cert"),
                (["--tls.cert", str(certificate), "--tls.key", str(closed), "--tls.client-ca", str(certificate)], 2,
                 "needs server.token_file"),
                (["--tls.cert", str(certificate), "--tls.key", str(key)], 1, "chmod 600"),
                (["--tls.cert", str(folder / "none"), "--tls.key", str(closed)], 1, "none")):
            ended = subprocess.run([run.path, "--port", "0", *options], capture_output=True, text=True, timeout=5)
            assert ended.returncode == expected and text in ended.stderr, f"{options}: {ended}"
            assert len(ended.stderr.splitlines()) == 1, ended.stderr


def resident_mebibytes(agent):
    status = pathlib.Path(f"/proc/{agent.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


async def greeting_seconds(agent, tls):
    """How long a client waits from its first packet to all it is told at first."""
    start = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", agent.port, ssl=tls, limit=1 << 20)
    writer.write(HANDSHAKE)
    await asyncio.wait_for(reader.readuntil(b'"op":"serverInfo"'), 5)
    await asyncio.wait_for(reader.readuntil(b'"op":"advertise"'), 5)
    writer.close()
    return time.monotonic() - start


async def check_crowd(run, *speech, options=(), tls=None, is_answered=False):
    """A thousand connections, of which each sends one piece of `speech` a second, disturb nobody and are ended."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with Agent(run.path, *options) as agent:
        await greeting_seconds(agent, tls)
        before = resident_mebibytes(agent)
        # A hundred come in each tenth of the first second; a tenth of them speaks in each tenth of every second.
        slow, waits = [], []
        peak = 0
        for tick in range(50):
            for _, writer in slow[tick % 10::10]:
                writer.write(b"".join(speech[tick // 10:tick // 10 + 1]))
            if tick < 10:
                slow += [await asyncio.open_connection("127.0.0.1", agent.port) for _ in range(100)]
            waits.append(await greeting_seconds(agent, tls))
            peak = max(peak, resident_mebibytes(agent))
            await asyncio.sleep(0.1)
        assert len(slow) == 1000
        # The time for a handshake is five seconds, looked at once a second.
        for reader, writer in slow:
            try:
                answer = await asyncio.wait_for(reader.read(), 3)
                assert is_answered or answer == b"", "an answer to half a request"
            except ConnectionError:
                pass  # A byte was on its way.
            writer.close()
        await greeting_seconds(agent, tls)
        after = resident_mebibytes(agent)
        assert peak - before < 16, f"{peak - before:.1f} MiB more for a thousand connections"
        assert after - before < 8, f"{after - before:.1f} MiB stay when they are gone"
        wait = sorted(waits)[-3]  # Two of fifty may be the machine's own.
        assert wait < 0.1, f"clients waited {wait * 1000:.0f} ms for their greeting"


def one_by_one(text, count=5):
    return [text[index:index + 1] for index in range(count)]


@check("a thousand handshakes of one byte a second disturb nobody, and are ended", needs_process=True)
async def _(run):
    await check_crowd(run, *one_by_one(HANDSHAKE))


async def check_tls_crowd(run, cut, is_answered):
    """`cut` makes the pieces that are sent of a client's first record."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        certificate, _ = make_certificate(folder, 1)
        options = ["--tls.cert", str(folder / "1.cert"), "--tls.key", str(folder / "1.key")]
        tls = ssl.create_default_context(cadata=certificate)
        record = ssl.MemoryBIO()
        with contextlib.suppress(ssl.SSLWantReadError):
            tls.wrap_bio(ssl.MemoryBIO(), record, server_hostname="127.0.0.1").do_handshake()
        await check_crowd(run, *cut(record.read()), options=options, tls=tls, is_answered=is_answered)


@check("TLS: a thousand handshakes of one byte a second disturb nobody, and are ended", needs_process=True)
async def _(run):
    await check_tls_crowd(run, one_by_one, is_answered=False)


@check("TLS: a thousand handshakes that stop half-way disturb nobody, and are ended", needs_process=True)
async def _(run):
    await check_tls_crowd(run, lambda record: [record], is_answered=True)


@check("TLS: a pipe in place of the key holds nobody up", needs_process=True)
async def _(run):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make_certificate(folder, 1)
        with Agent(run.path, "--tls.cert", str(folder / "1.cert"), "--tls.key", str(folder / "1.key")) as agent:
            (folder / "1.key").unlink()
            os.mkfifo(folder / "1.key", 0o600)
            await asyncio.sleep(1.1)
            assert await asyncio.wait_for(asyncio.to_thread(served_serial, agent.port), 6) == 1
            await lines_with(agent, "not a regular file")


@check("SIGTERM: close 1001 for every client, exit status 0, within 1 s", needs_process=True)
async def _(run):
    with Agent(run.path) as agent:
        async with Client(agent.url) as first, Client(agent.url, [WEBSOCKET_V1]) as second:
            await first.subscribe(*first.channels)
            await first.collect(0.5)
            idle = socket.create_connection(("127.0.0.1", agent.port))  # One that never says anything.
            status, seconds = await asyncio.to_thread(agent.terminate)
            idle.close()
            assert status == 0, f"exit status {status}"
            assert seconds < 1, f"took {seconds:.2f} s"
            for client in (first, second):
                assert await client.wait(lambda: client.close_code is not None), "the connection is still open"
                assert client.close_code == 1001, f"close code {client.close_code}"


@check("SIGINT does the same as SIGTERM", needs_process=True)
async def _(run):
    with Agent(run.path) as agent:
        agent.process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(agent.process.wait, 5) == 0


# The log

LOGFMT = re.compile(r'(?:time=\S+ )?level=(error|warning|info|debug) msg="(?:[^"\\]|\\.)*"(?: \w+=(?:\S+|"[^"]*"))*')


@check("log: each line is logfmt with a time, or JSON if asked for", needs_process=True)
async def _(run):
    for options, is_json in (([], False), (["--log.format=json"], True)):
        with Agent(run.path, *options) as agent:
            async with Client(agent.url) as client:
                # A line of its own, and the title of a terminal.
                await client.publish({"a\n\x1b]0;x\x07": 1})
                await lines_with(agent, "refused")
            await asyncio.to_thread(agent.terminate)
        lines = [line for line in agent.lines if " serves ws://" not in line]
        assert len(lines) > 2 and len(agent.lines) == len(lines) + 1, agent.lines
        for line in lines:
            assert line[:-1].isprintable(), repr(line)
            if is_json:
                fields = json.loads(line)
                assert list(fields)[:3] == ["time", "level", "msg"], line
                stamp = fields["time"]
            else:
                assert LOGFMT.fullmatch(line[:-1]), line
                stamp = line.split()[0].removeprefix("time=")
            age = time.time() - datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
            assert 0 <= age < 10, line


@check("log: under systemd's journal a priority in place of the time", needs_process=True)
async def _(run):
    read_end, write_end = os.pipe()
    node = os.fstat(write_end)
    for stream, is_journal in ((f"{node.st_dev}:{node.st_ino}", True), (f"{node.st_dev}:{node.st_ino + 1}", False)):
        with Agent(run.path, stderr=write_end, env={**os.environ, "JOURNAL_STREAM": stream}) as agent:
            await asyncio.to_thread(agent.terminate)
        text = os.read(read_end, 65_536).decode()
        for line in text.splitlines():
            assert line.startswith("<6>level=info msg=" if is_journal else "time=20"), line
        assert "stopping on SIGTERM" in text, text
    os.close(read_end)
    os.close(write_end)


@check("log: the same line is written once, and then how often it was left out", needs_process=True)
async def _(run):
    with Agent(run.path) as agent:
        for _ in range(20):
            async with Client(agent.url):
                pass
        await lines_with(agent, "client connected")
        await asyncio.to_thread(agent.terminate)
    connected = [line for line in agent.lines if "client connected from 127.0.0.1" in line]
    assert len(connected) == 2 and connected[1].endswith(" left_out=19\n"), connected


def fill(descriptor):
    """Writes until nothing more goes in."""
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    # The kernel makes room in a terminal a moment later, when it has passed the bytes on to the other side.
    while select.select([], [descriptor], [], 0.2)[1]:
        for size in (4096, 1):
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(descriptor, b"." * size)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags)


@check("log: a full pipe and a held terminal stop nothing, and the loss is told", needs_process=True)
async def _(run):
    for read_end, write_end in (os.pipe(), os.openpty()):
        fill(write_end)
        with Agent(run.path, stderr=write_end) as agent:
            for _ in range(3):
                agent.process.send_signal(signal.SIGHUP)
                async with Client(agent.url) as client:
                    await client.subscribe("/cpu")
                    assert await client.collect(0.3), "no message"
            assert not fcntl.fcntl(write_end, fcntl.F_GETFL) & os.O_NONBLOCK, "others must wait no longer, either"
            text = ""
            while select.select([read_end], [], [], 0.2)[0]:
                text += os.read(read_end, 65_536).decode()
            code, seconds = await asyncio.to_thread(agent.terminate)
            assert code == 0 and seconds < 1, (code, seconds)
            text += os.read(read_end, 65_536).decode()
            assert re.search(r"\d+ lines were lost", text) and "stopping on SIGTERM" in text, text
        os.close(read_end)
        os.close(write_end)


@check("log: stderr may be closed, or lose its reader", needs_process=True)
async def _(run):
    # Whatever is opened first would become descriptor 2, and get the lines of the log.
    with Agent(run.path, prefix=["sh", "-c", 'exec "$0" "$@" 2>&-']) as agent:
        async with Client(agent.url) as client:
            agent.process.send_signal(signal.SIGHUP)
            await client.subscribe("/cpu")
            assert await client.collect(0.3) and client.close_code is None
        assert os.readlink(f"/proc/{agent.process.pid}/fd/2") == "/dev/null"
        assert (await asyncio.to_thread(agent.terminate))[0] == 0
    read_end, write_end = os.pipe()
    with Agent(run.path, stderr=write_end) as agent:
        os.close(write_end)
        os.close(read_end)
        agent.process.send_signal(signal.SIGHUP)
        async with Client(agent.url):
            pass
        assert (await asyncio.to_thread(agent.terminate))[0] == 0


# systemd


class NotifySocket:
    """What systemd listens on in NOTIFY_SOCKET."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)

    def receive(self, seconds=5):
        self.socket.settimeout(seconds)
        return self.socket.recv(4096).decode().splitlines()

    def receive_until(self, line, seconds=5):
        """All datagrams up to one that has this line."""
        end = time.monotonic() + seconds
        received = []
        while not received or line not in received[-1]:
            received.append(self.receive(max(0.01, end - time.monotonic())))
        return received


@check("sd_notify: ready, alive, reloading, stopping, and what the agent does", needs_process=True)
async def _(run):
    manager = NotifySocket()
    environment = {**os.environ, "NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "200000"}
    with Agent(run.path, env=environment) as agent:
        assert manager.receive() == ["READY=1"]
        assert manager.receive() == ["WATCHDOG=1", "STATUS=0 clients, 0 samples taken"]
        async with Client(agent.url) as client:
            await client.subscribe("/cpu")
            await client.collect(0.5)
            times = []
            while len(times) < 12:
                lines = await asyncio.to_thread(manager.receive, 1)
                assert lines[0] == "WATCHDOG=1", lines
                times.append(time.monotonic())
            assert re.fullmatch(r"STATUS=1 client, [1-9]\d* samples taken", lines[1]), lines
            rate = 5 / (times[-1] - times[-6])
            assert 8 < rate < 11, f"{rate:.1f} times a second, should be each 100 ms"
        before = time.monotonic_ns() // 1000
        agent.process.send_signal(signal.SIGHUP)
        reloading = (await asyncio.to_thread(manager.receive_until, "RELOADING=1"))[-1]
        stamp = int(reloading[1].removeprefix("MONOTONIC_USEC="))
        assert before <= stamp <= time.monotonic_ns() // 1000, reloading
        assert manager.receive() == ["READY=1"]
        agent.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(manager.receive_until, "STOPPING=1")
        assert agent.process.wait(5) == 0


@check("sd_notify: a loop that is stuck says nothing", needs_process=True)
async def _(run):
    manager = NotifySocket()
    environment = {**os.environ, "NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "200000"}
    with Agent(run.path, env=environment) as agent:
        manager.receive_until("READY=1")
        agent.process.send_signal(signal.SIGSTOP)
        with contextlib.suppress(TimeoutError):
            while True:
                manager.receive(0.05)
        with contextlib.suppress(TimeoutError):
            raise AssertionError(f"{manager.receive(0.5)} from a process that is held")
        agent.process.send_signal(signal.SIGCONT)
        assert manager.receive()[0] == "WATCHDOG=1"


@check("sd_notify: a manager that is not there stops nothing", needs_process=True)
async def _(run):
    with Agent(run.path, env={**os.environ, "NOTIFY_SOCKET": "/nonexistent/notify"}) as agent:
        assert status(agent.port) == 101


@contextlib.contextmanager
def activated(path, sockets, *options, pid="$$", **process):
    """An agent that is given listening sockets as systemd does it."""
    def place():  # In the child, before it becomes the agent.
        for index, descriptor in enumerate([os.dup(one.fileno()) for one in sockets]):
            os.dup2(descriptor, 3 + index)

    prefix = ["sh", "-c", f'export LISTEN_PID={pid} LISTEN_FDS={len(sockets)}; exec "$0" "$@"']
    passed = range(3, 3 + len(sockets))
    with Agent(path, *options, prefix=prefix, preexec_fn=place, pass_fds=passed, **process) as agent:
        yield agent


def listening(host, family=socket.AF_INET):
    opened = socket.socket(family)
    opened.bind((host, 0))
    opened.listen()
    return opened


@check("socket activation: the passed sockets are served, in place of --port", needs_process=True)
async def _(run):
    first, second = listening("127.0.0.1"), listening("::1", socket.AF_INET6)
    # Who came before the agent is served, too.
    early = socket.create_connection(first.getsockname())
    with activated(run.path, [first, second]) as agent:
        assert agent.port == first.getsockname()[1], agent.url
        early.sendall(HANDSHAKE)
        assert early.recv(4096).startswith(b"HTTP/1.1 101 "), "the early one"
        async with Client(f"ws://[::1]:{second.getsockname()[1]}") as client:
            assert "/cpu" in client.channels
        inodes = {os.readlink(path) for path in glob.glob(f"/proc/{agent.process.pid}/fd/*") if os.path.exists(path)}
        listeners = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
        listeners = [line for line in listeners if line[3] == "0A" and f"socket:[{line[9]}]" in inodes]
        assert len(listeners) == 1, f"it listens elsewhere, too: {listeners}"
        assert (await asyncio.to_thread(agent.terminate))[0] == 0
    early.close()
    with activated(run.path, [first], pid="1") as agent:
        assert agent.port != first.getsockname()[1], "these sockets are another process's"


@check("socket activation: the rules of the passed address hold; what is no TCP socket is refused", needs_process=True)
async def _(run):
    with tempfile.TemporaryDirectory() as folder, token_file(token_line("x")) as tokens:
        local = socket.socket(socket.AF_UNIX)
        local.bind(os.path.join(folder, "socket"))
        local.listen()
        for sockets, code, text in (
                ([listening("0.0.0.0")], 2, "0.0.0.0 is open to other machines"),
                ([listening("127.0.0.1"), listening("::", socket.AF_INET6)], 2, ":: is open to other machines"),
                ([local], 1, "descriptor 3 of LISTEN_FDS: it is no listening TCP socket"),
                ([listening("127.0.0.1"), socket.socket()], 1, "descriptor 4 of LISTEN_FDS: it is no listening")):
            try:
                with activated(run.path, sockets) as agent:
                    raise AssertionError(f"{agent.url} is served")
            except RuntimeError as error:
                assert text in str(error) and str(error).count("level=error") == 1, error
        everywhere = listening("0.0.0.0")
        with activated(run.path, [everywhere], "--token-file", str(tokens)):
            port = everywhere.getsockname()[1]
            assert status(port) == 401 and status(port, "/?token=x") == 101


class Run:
    """What the checks work with."""

    def __init__(self, path, url):
        self.path = path
        self.settings = tempfile.NamedTemporaryFile("w", suffix=".json")
        # The tests of others, on the same machine, must not raise the rates that are looked at here.
        self.settings.write('{"boost": {"enabled": false}}')
        self.settings.flush()
        self.agent = Agent(path, "--config", self.settings.name) if path else None
        self.url = url or self.agent.url
        self.recording = None

    def agent_output(self, *options):
        """Runs an agent that is expected to end by itself."""
        return subprocess.run(
            [self.path, *options], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--agent", metavar="PATH", help="start this program, always with --port 0")
    target.add_argument("--url", help="use a running agent")
    parser.add_argument("--only", default="", help="run only checks whose name contains this; they may need others")
    options = parser.parse_args()

    run = Run(options.agent, options.url)
    passed = failed = 0
    for name, function, needs_process in CHECKS:
        if options.only not in name or (needs_process and not run.agent):
            continue
        start = time.monotonic()
        try:
            asyncio.run(asyncio.wait_for(function(run), 60))
            passed += 1
            verdict = "ok  "
        except Exception as error:
            failed += 1
            verdict = "FAIL"
            reason = str(error) if isinstance(error, AssertionError) and str(error) else traceback.format_exc()
        print(f"{verdict} {name} ({time.monotonic() - start:.1f} s)", flush=True)
        if verdict == "FAIL":
            print("     " + reason.rstrip().replace("\n", "\n     "), flush=True)
    if run.agent:
        status, _ = run.agent.terminate()
        if status != 0:
            failed += 1
            print(f"FAIL the agent of all these checks ended with status {status}\n{''.join(run.agent.lines)}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
