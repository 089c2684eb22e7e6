#!/usr/bin/env python3
"""Compares what the agent says of this host with what other tools say at the same time.

    compare.py --agent .build/release/sysmon-agent

While the host is kept a little busy, the tools are asked again and again. A counter must lie between what a tool said
just before and just after the agent's reading; what goes up and down must be near what the tool said around that time,
nine times in ten and unless that changed much meanwhile; a rate must be one that the tool's counters allow over the
same span. Prints a line for each number, of the sample that fits worst, and what could not be compared; exit status 1
if anything disagrees.
"""

import argparse
import asyncio
import dataclasses
import json
import math
import os
import subprocess
import sys
import tempfile
import time
import typing

import psutil

from agent import Agent
from client import Client
from host import CPU_COLUMNS, FILES, Poller, file
from load import Load

SECONDS = 8
# Of channels that would send too few samples in that time.
RATES = {
    "/load": 2, "/filesystem": 2, "/processes": 2, "/systemd": 1, "/net/neighbours": 2, "/system/info": 2,
    "/cpu/frequency": 2, "/power": 1, "/gpu": 2}
# Files and psutil are asked more often than commands.
FAST_SECONDS, SLOW_SECONDS = 0.02, 0.3
MEBIBYTE = 1 << 20


# What the tools say


def numbers_by_label(text):
    """Of `vmstat -s`: "  24684084 K total memory"."""
    return {label: int(number) for number, label in (line.split(None, 1) for line in text.splitlines())}


def table(text, *columns):
    """Rows of as many columns, of which the last may hold blanks."""
    return [
        dict(zip(columns, line.split(None, len(columns) - 1))) for line in text.splitlines()
        if len(line.split()) >= len(columns)]


def parse_free(text):
    rows = {row["name"]: row for row in table(text, "name", "total", "used", "free")}
    memory = text.splitlines()[1].split()
    names = ("total", "used", "free", "shared", "buff/cache", "available")
    return {**dict(zip(names, map(int, memory[1:]))), **{f"swap {key}": int(rows["Swap:"][key]) for key in names[:3]}}


def parse_ss(text):
    """The lines "Total", "TCP" and the table by transport."""
    words = text.replace("(", " ").replace(")", " ").replace(",", " ").split()
    values = {"total": int(words[1])}
    values |= {word: int(words[words.index(word) + 1]) for word in ("orphaned", "timewait")}
    for row in table(text[text.index("Transport"):], "name", "total", "IPv4", "IPv6")[1:]:
        values[row["name"]], values[row["name"] + "6"] = int(row["IPv4"]), int(row["IPv6"])
    return values


def parse_per_cpu(text):
    """Sums of /proc/softirqs and /proc/interrupts by the name of the line."""
    count = len(text.splitlines()[0].split())
    sums = {}
    for line in text.splitlines()[1:]:
        name, *words = line.split()
        numbers = [int(word) for word in words[:count] if word.isdigit()]
        sums[name.rstrip(":")] = sum(numbers)
    return sums


def parse_pressure(text):
    """Seconds by "some" and "full"."""
    return {line.split()[0]: int(line.rsplit("=", 1)[1]) / 1e6 for line in text.splitlines()}


def parse_softnet(text):
    rows = [[int(word, 16) for word in line.split()] for line in text.splitlines()]
    return {row[12] if len(row) > 12 else index: row for index, row in enumerate(rows)}


def parse_vmstat(text):
    return {name: int(number) for name, number in map(str.split, text.splitlines())}


def parse_sensors(text):
    """By our ids: the chip's name and the start of "temp1_input"."""
    return {
        f"{chip}/{name.removesuffix('_input')}": value
        for chip, features in json.loads(text).items() for feature in features.values() if isinstance(feature, dict)
        for name, value in feature.items() if name.endswith("_input")}


COMMANDS = {
    "free -b": parse_free,
    "vmstat -s": numbers_by_label,
    "ss -s": parse_ss,
    # Its JSON has 32 bits of each number.
    "nstat -asz": lambda text: {row["name"]: int(row["count"]) for row in table(text, "name", "count", "rate")[1:]},
    "ip -s -j link": json.loads,
    "ip -j address": json.loads,
    "ip -j neighbour show nud all": json.loads,
    "df -B1 --output=size,used,avail,itotal,iused,fstype,target": lambda text: table(
        text, "size", "used", "avail", "itotal", "iused", "fstype", "target")[1:],
    "ps -eo pid=,ppid=,euid=,nlwp=,rss=,comm=": lambda text: table(text, "pid", "ppid", "euid", "nlwp", "rss", "comm"),
    "sensors -j": parse_sensors,
    "systemctl list-units --all --plain --no-legend --no-pager": lambda text: table(text, "unit", "load", "active"),
    "nvidia-smi --query-gpu=pci.bus_id,memory.total,memory.used,temperature.gpu --format=csv,noheader,nounits":
        lambda text: [line.split(", ") for line in text.splitlines()],
}


def psutil_sources(pid):
    """psutil by the names of its functions; what it says is used as it is."""
    functions = {
        "cpu_times": psutil.cpu_times, "cpu_times(percpu)": lambda: psutil.cpu_times(percpu=True),
        "cpu_count": psutil.cpu_count, "cpu_stats": psutil.cpu_stats,
        "cpu_freq(percpu)": lambda: psutil.cpu_freq(percpu=True),
        "getloadavg": psutil.getloadavg, "virtual_memory": psutil.virtual_memory, "swap_memory": psutil.swap_memory,
        "disk_io_counters": lambda: psutil.disk_io_counters(perdisk=True, nowrap=False),
        "net_io_counters": lambda: psutil.net_io_counters(pernic=True, nowrap=False),
        "net_if_stats": psutil.net_if_stats, "net_if_addrs": psutil.net_if_addrs, "boot_time": psutil.boot_time,
        "pids": psutil.pids,
        "disk_usage": lambda: {
            part.mountpoint: psutil.disk_usage(part.mountpoint) for part in psutil.disk_partitions(all=True)},
        "Process": lambda: psutil.Process(pid).as_dict(["cpu_times", "memory_info", "num_threads", "num_fds"]),
    }
    return {f"psutil.{name}": (function, lambda reading: reading) for name, function in functions.items()}


def file_sources():
    parsers = {
        "vmstat": parse_vmstat, "softirqs": parse_per_cpu, "interrupts": parse_per_cpu,
        "net/softnet_stat": parse_softnet, "sys/fs/file-nr": lambda text: [int(word) for word in text.split()],
        **{f"pressure/{name}": parse_pressure for name in ("cpu", "memory", "io", "irq")},
    }
    files = {name: file(name, parse) for name, parse in parsers.items()} | FILES
    return {f"/proc/{name}": source for name, source in files.items()}


def command_sources():
    return {
        line: (lambda line=line: subprocess.run(
            line.split(), capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"}).stdout, parse)
        for line, parse in COMMANDS.items()}


def usable(sources):
    """Those that can be read and understood here, and why the others cannot."""
    kept, skipped = {}, {}
    for name, (read, parse) in sources.items():
        try:
            parse(read())
            kept[name] = (read, parse)
        except subprocess.CalledProcessError as error:
            skipped[name] = (error.stderr.strip() or f"exit status {error.returncode}").splitlines()[0]
        except Exception as error:
            skipped[name] = f"{type(error).__name__}: {error}"
    return kept, skipped


# What is compared


@dataclasses.dataclass
class Comparison:
    """Numbers of one channel with those of one source."""

    topic: str
    source: str
    # Of a reading: values by the names of our fields, by row.
    theirs: object
    # The list, or the message, in ours that has the fields; "": the message itself.
    rows: str = ""
    # How far off a field may be that goes up and down, or steps back now and then.
    slack: dict = dataclasses.field(default_factory=dict)
    # Which rows there must be: "all" of the source's and no others, "some" of them, or "any".
    ids: str = "some"

    def ours(self, message):
        value = getattr(message, self.rows) if self.rows else message
        return {row.id: row for row in value} if hasattr(value, "append") else {"": value}


def one(values):
    return {"": values}


def counts_of(nstat, **names):
    return {f"{field}_total": nstat[name] for field, name in names.items() if name in nstat}


def disk(counters):
    return {
        "reads_total": counters.read_count, "writes_total": counters.write_count,
        "read_bytes_total": counters.read_bytes, "write_bytes_total": counters.write_bytes,
        "reads_merged_total": counters.read_merged_count, "writes_merged_total": counters.write_merged_count,
        "read_seconds_total": counters.read_time / 1000, "write_seconds_total": counters.write_time / 1000,
        "io_seconds_total": counters.busy_time / 1000}


def interface(counters):
    ways = {"rx": "recv", "tx": "sent"}
    short = {"rx": "in", "tx": "out"}
    return {
        **{f"{way}_{kind}_total": getattr(counters, f"{kind}_{theirs}")
           for way, theirs in ways.items() for kind in ("bytes", "packets")},
        **{f"{way}_errors_total": getattr(counters, f"err{theirs}") for way, theirs in short.items()},
        **{f"{way}_dropped_total": getattr(counters, f"drop{theirs}") for way, theirs in short.items()}}


def link(entry):
    stats = entry["stats64"]
    return {
        "index": entry["ifindex"], "mtu_bytes": entry["mtu"],
        "rx_multicast_total": stats["rx"]["multicast"], "tx_collisions_total": stats["tx"]["collisions"],
        **{f"{way}_{kind}_total": stats[way][kind] for way in ("rx", "tx") for kind in ("bytes", "packets", "errors")}}


def filesystem(row):
    numbers = {key: float(value) if value.isdigit() else math.nan for key, value in row.items()}
    used, available = numbers["used"], numbers["avail"]
    return {
        "size_bytes": numbers["size"], "used_bytes": used, "available_bytes": available,
        "used_ratio": used / (used + available) if used + available else math.nan,
        "files_total": numbers["itotal"] or math.nan,
        "files_free": numbers["itotal"] - numbers["iused"] if numbers["itotal"] else math.nan}


def neighbours(entries):
    counts = {}
    for entry in entries:
        counts.setdefault(entry["dev"], {"entries": 0})["entries"] += 1
    return counts


NET_COUNTERS = dict(
    active_opens="TcpActiveOpens", passive_opens="TcpPassiveOpens", attempt_fails="TcpAttemptFails",
    established_resets="TcpEstabResets", segments_in="TcpInSegs", segments_out="TcpOutSegs",
    retransmitted="TcpRetransSegs", in_errors="TcpInErrs", out_resets="TcpOutRsts", timeouts="TcpExtTCPTimeouts",
    listen_overflows="TcpExtListenOverflows", listen_drops="TcpExtListenDrops",
    syn_retransmitted="TcpExtTCPSynRetrans", out_of_order="TcpExtTCPOFOQueue")
UDP_COUNTERS = dict(
    datagrams_in="UdpInDatagrams", datagrams_out="UdpOutDatagrams", no_ports="UdpNoPorts", in_errors="UdpInErrors")
IP_COUNTERS = dict(
    packets_in="IpInReceives", packets_out="IpOutRequests", bytes_in="IpExtInOctets", bytes_out="IpExtOutOctets")
IP6_COUNTERS = dict(
    packets_in="Ip6InReceives", packets_out="Ip6OutRequests", bytes_in="Ip6InOctets", bytes_out="Ip6OutOctets")
ICMP_COUNTERS = dict(messages_in="IcmpInMsgs", messages_out="IcmpOutMsgs", unreachable_in="IcmpInDestUnreachs")

# These two step back now and then.
CPU_SLACK = {"idle_seconds_total": 0.1, "iowait_seconds_total": 0.1}
MOVING_MEMORY = dict.fromkeys((
    "used_bytes", "free_bytes", "available_bytes", "active_bytes", "inactive_bytes", "buffers_bytes", "shmem_bytes",
    "slab_bytes", "cached_bytes + slab_reclaimable_bytes", "buffers_bytes + cached_bytes + slab_reclaimable_bytes"),
    16 * MEBIBYTE)


def comparisons():
    return [
        Comparison("/cpu", "psutil.cpu_times", lambda times: one(
            {f"{name}_seconds_total": getattr(times, name) for name in CPU_COLUMNS}), slack=CPU_SLACK),
        Comparison("/cpu", "psutil.cpu_count", lambda count: one({"online_count": count})),
        Comparison("/cpu/frequency", "psutil.cpu_freq(percpu)", lambda cpus: {
            index: {"current_hertz": cpu.current * 1e6} for index, cpu in enumerate(cpus)}, "cpus",
            {"current_hertz": 1e9}),
        Comparison("/cpu/softirq", "/proc/softirqs", lambda sums: {
            name: {"total": value} for name, value in sums.items()}, "vectors", ids="all"),
        Comparison("/cpu/interrupts", "/proc/interrupts", lambda sums: {
            name: {"total": value} for name, value in sums.items()}, "lines", ids="all"),
        Comparison("/kernel", "psutil.cpu_stats", lambda stats: one({
            "context_switches_total": stats.ctx_switches, "interrupts_total": stats.interrupts,
            "softirqs_total": stats.soft_interrupts})),
        Comparison("/kernel", "vmstat -s", lambda numbers: one({
            "context_switches_total": numbers["CPU context switches"], "interrupts_total": numbers["interrupts"],
            "forks_total": numbers["forks"]})),
        Comparison("/load", "psutil.getloadavg", lambda averages: one(
            dict(zip(("load1", "load5", "load15"), averages))),
            slack=dict.fromkeys(("load1", "load5", "load15"), 0.01)),
        Comparison("/load", "/proc/loadavg", lambda values: one({
            key: values[key] for key in ("load1", "load5", "load15", "tasks_total")}), slack={"tasks_total": 16}),
        Comparison("/memory", "psutil.virtual_memory", lambda memory: one({
            "total_bytes": memory.total, "available_bytes": memory.available, "used_bytes": memory.used,
            "free_bytes": memory.free, "active_bytes": memory.active, "inactive_bytes": memory.inactive,
            "buffers_bytes": memory.buffers, "cached_bytes + slab_reclaimable_bytes": memory.cached,
            "shmem_bytes": memory.shared, "slab_bytes": memory.slab}), slack=MOVING_MEMORY),
        Comparison("/memory", "psutil.swap_memory", lambda swap: one({
            "swap_total_bytes": swap.total, "swap_used_bytes": swap.used, "swap_free_bytes": swap.free}),
            slack={"swap_used_bytes": MEBIBYTE, "swap_free_bytes": MEBIBYTE}),
        Comparison("/memory", "free -b", lambda free: one({
            "total_bytes": free["total"], "free_bytes": free["free"], "shmem_bytes": free["shared"],
            "used_bytes": free["used"], "available_bytes": free["available"],
            "buffers_bytes + cached_bytes + slab_reclaimable_bytes": free["buff/cache"],
            "swap_total_bytes": free["swap total"], "swap_used_bytes": free["swap used"]}),
            slack={**MOVING_MEMORY, "swap_used_bytes": MEBIBYTE}),
        Comparison("/memory/paging", "vmstat -s", lambda numbers: one({
            "block_in_bytes_total": numbers["K paged in"] * 1024,
            "block_out_bytes_total": numbers["K paged out"] * 1024,
            "swap_in_bytes_total": numbers["pages swapped in"] * os.sysconf("SC_PAGESIZE"),
            "swap_out_bytes_total": numbers["pages swapped out"] * os.sysconf("SC_PAGESIZE")})),
        Comparison("/memory/paging", "/proc/vmstat", lambda numbers: one({
            "faults_total": numbers["pgfault"], "major_faults_total": numbers["pgmajfault"],
            "oom_kills_total": numbers["oom_kill"]})),
        *(Comparison("/pressure", f"/proc/pressure/{name}", lambda seconds: one({
            f"{key}_stall_seconds_total": value for key, value in seconds.items()}), name)
          for name in ("cpu", "memory", "io", "irq")),
        Comparison("/disk", "psutil.disk_io_counters", lambda disks: {
            name: disk(counters) for name, counters in disks.items()}, "devices"),
        Comparison("/filesystem", next(name for name in COMMANDS if name.startswith("df")), lambda rows: {
            row["target"]: filesystem(row) for row in rows}, "filesystems", {
                "used_bytes": MEBIBYTE, "available_bytes": MEBIBYTE, "used_ratio": 1e-4, "files_free": 64}),
        Comparison("/filesystem", "psutil.disk_usage", lambda usage: {
            name: {"size_bytes": values.total, "used_bytes": values.used, "available_bytes": values.free}
            for name, values in usage.items()}, "filesystems", {"used_bytes": MEBIBYTE, "available_bytes": MEBIBYTE}),
        Comparison("/net", "psutil.net_io_counters", lambda nics: {
            name: interface(counters) for name, counters in nics.items()}, "interfaces", ids="all"),
        Comparison("/net", "psutil.net_if_stats", lambda nics: {
            name: {"mtu_bytes": stats.mtu} for name, stats in nics.items()}, "interfaces", ids="all"),
        Comparison("/net", "ip -s -j link", lambda links: {
            entry["ifname"]: link(entry) for entry in links}, "interfaces", ids="all"),
        Comparison("/net/addresses", "ip -j address", lambda links: {
            f"{entry['ifname']} {address['local']}/{address['prefixlen']}": {"prefix_length": address["prefixlen"]}
            for entry in links for address in entry["addr_info"]}, "addresses", ids="all"),
        Comparison("/net/sockets", "ss -s", lambda sockets: one({
            "used": sockets["total"], "tcp_in_use": sockets["TCP"], "tcp6_in_use": sockets["TCP6"],
            "udp_in_use": sockets["UDP"], "udp6_in_use": sockets["UDP6"], "raw_in_use": sockets["RAW"],
            "tcp_orphan": sockets["orphaned"], "tcp_time_wait": sockets["timewait"]}),
            slack={"used": 16, "tcp_in_use": 8, "udp_in_use": 4, "tcp_orphan": 4, "tcp_time_wait": 16}),
        *(Comparison("/net/protocols", "nstat -asz", lambda nstat, names=names: one(counts_of(nstat, **names)), part)
          for part, names in (
              ("tcp", NET_COUNTERS), ("udp", UDP_COUNTERS), ("ip", IP_COUNTERS), ("ip6", IP6_COUNTERS),
              ("icmp", ICMP_COUNTERS))),
        Comparison("/net/softnet", "/proc/net/softnet_stat", lambda rows: {
            cpu: {"processed_total": row[0], "dropped_total": row[1], "squeezed_total": row[2]}
            for cpu, row in rows.items()}, "cpus", ids="all"),
        Comparison("/net/neighbours", "ip -j neighbour show nud all", neighbours, "interfaces", {"entries": 2}),
        Comparison("/sensors", "sensors -j", lambda values: {
            name: {"celsius": value} for name, value in values.items() if "/temp" in name}, "temperatures",
            {"celsius": 3}),
        Comparison("/sensors", "sensors -j", lambda values: {
            name: {"rpm": value} for name, value in values.items() if "/fan" in name}, "fans", {"rpm": 200}),
        Comparison("/gpu", next(name for name in COMMANDS if name.startswith("nvidia-smi")), lambda rows: {
            bus[-12:].lower(): {
                "memory_total_bytes": float(total) * MEBIBYTE, "memory_used_bytes": float(used) * MEBIBYTE,
                "celsius": float(celsius)} for bus, total, used, celsius in rows}, "gpus",
            {"memory_total_bytes": MEBIBYTE, "memory_used_bytes": 64 * MEBIBYTE, "celsius": 3}),
        Comparison("/processes", "psutil.pids", lambda pids: one({"processes": len(pids)}), slack={"processes": 8}),
        Comparison("/processes", "ps -eo pid=,ppid=,euid=,nlwp=,rss=,comm=", lambda rows: one({
            "processes": len(rows), "threads": sum(int(row["nlwp"]) for row in rows)}),
            slack={"processes": 8, "threads": 32}),
        Comparison("/processes", "ps -eo pid=,ppid=,euid=,nlwp=,rss=,comm=", lambda rows: {
            int(row["pid"]): {
                "parent_id": int(row["ppid"]), "user_id": int(row["euid"]), "threads": int(row["nlwp"]),
                "resident_bytes": int(row["rss"]) * 1024} for row in rows}, "top",
            {"threads": 4, "resident_bytes": 16 * MEBIBYTE}, ids="any"),
        Comparison("/systemd", next(name for name in COMMANDS if name.startswith("systemctl")), lambda units: one({
            "units": len(units), "units_active": sum(unit["active"] == "active" for unit in units),
            "units_failed": sum(unit["active"] == "failed" for unit in units)}),
            slack={"units": 4, "units_active": 4}),
        Comparison("/fds", "/proc/sys/fs/file-nr", lambda numbers: one({
            "allocated": numbers[0], "maximum": numbers[2]}), slack={"allocated": 256}),
        Comparison("/system/uptime", "/proc/uptime", lambda seconds: one({"uptime_seconds": seconds[0]})),
        Comparison("/system/uptime", "psutil.boot_time", lambda seconds: one({"boot_time_seconds": seconds}),
                   slack={"boot_time_seconds": 1}),
        Comparison("/agent", "psutil.Process", lambda process: one({
            "cpu_seconds_total": sum(process["cpu_times"][:2]), "resident_bytes": process["memory_info"].rss,
            "threads": process["num_threads"], "open_fds": process["num_fds"]}),
            slack={"resident_bytes": MEBIBYTE, "open_fds": 1, "threads": 1, "cpu_seconds_total": 0.02}),
        Comparison("/system/info", "psutil.cpu_count", lambda count: one({"logical_cpus_online": count})),
    ]


# Comparing


class Sample(typing.NamedTuple):
    """What was measured, and how far it may be from what a tool says."""

    ours: float
    theirs: float
    bound: float

    @property
    def misfit(self):
        """The difference as a share of what it may be."""
        if math.isnan(self.ours) and math.isnan(self.theirs):
            return 0
        misfit = abs(self.ours - self.theirs) / self.bound
        return math.inf if math.isnan(misfit) else misfit


@dataclasses.dataclass
class Row:
    """A line of the table."""

    what: str
    source: str
    samples: list = dataclasses.field(default_factory=list)
    # The share of samples that must fit: what goes up and down may be elsewhere just between two readings.
    share: float = 1

    def add(self, ours, low, high, slack):
        """What was measured, and within what it must lie; the last digits are left to the floating point."""
        middle, half = (low + high) / 2, (high - low) / 2 + slack
        self.samples.append(Sample(ours, middle, half + 1e-9 * max(1, abs(middle))))

    @property
    def worst(self):
        """The sample that decides."""
        if not self.samples:
            return Sample(math.nan, math.nan, math.nan)
        samples = sorted(self.samples, key=lambda sample: (sample.misfit, sample.theirs))
        return samples[math.ceil(self.share * len(samples)) - 1]

    @property
    def is_fine(self):
        return len(self.samples) > 0 and self.worst.misfit <= 1


def is_counter(field):
    return field.endswith("total") and field != "files_total" or field == "uptime_seconds"


def rate_of(row, field):
    """The value of the field that has a counter's rate, if there is one."""
    name = "per_second".join(field.rsplit("total", 1))
    return getattr(row, name, None) if name != field else None


def stamp_of(message):
    return message.header.stamp.seconds * 1_000_000_000 + message.header.stamp.nanos


class Table:
    """Compares, and keeps what came of it."""

    def __init__(self):
        self.rows = {}

    def row(self, what, source):
        return self.rows.setdefault((what, source), Row(what, source))

    def compare(self, comparison, messages, poller):
        path = comparison.topic + (f".{comparison.rows}" if comparison.rows else "")
        for message in messages:
            stamp, seconds = stamp_of(message), message.header.interval_seconds
            if not (readings := poller.around(comparison.source, stamp)):
                continue
            before, after = map(comparison.theirs, readings)
            around = [before, after, *map(comparison.theirs, poller.near(comparison.source, stamp))]
            starts = None
            if not math.isnan(seconds) and (readings := poller.around(comparison.source, stamp - round(seconds * 1e9))):
                starts = list(map(comparison.theirs, readings))
            ours = comparison.ours(message)
            if comparison.ids != "any" and "" not in ours:
                strange = ours.keys() - before.keys() - after.keys()
                missing = (before.keys() & after.keys()) - ours.keys() if comparison.ids == "all" else set()
                self.row(f"{path}: rows amiss", comparison.source).add(len(strange | missing), 0, 0, 0)
            for name in ours.keys() & before.keys() & after.keys():
                for field in before[name].keys() & after[name].keys():
                    low, high = before[name][field], after[name][field]
                    slack = comparison.slack.get(field, 0)
                    row = self.row(f"{path}.{field}", comparison.source)
                    if not is_counter(field):
                        row.share = 0.9
                        values = [reading[name][field] for reading in around if name in reading]
                        low, high = min(values), max(values)
                        if high - low > slack:
                            continue  # It moves too fast for the tool.
                    value = sum(getattr(ours[name], part) for part in field.split(" + "))
                    row.add(value, low, high, slack)
                    rate = rate_of(ours[name], field)
                    if rate is not None and starts and all(name in start for start in starts):
                        first, second = (start[name][field] for start in starts)
                        self.row(f"{path}.{field}: rate", comparison.source).add(
                            rate, max(0, low - second) / seconds, (high - first) / seconds, 0)

    def compare_usage(self, topic, source, messages, poller):
        """The busy share of a span follows from two readings of CPU times at each of its ends."""
        for message in messages:
            stamp, seconds = stamp_of(message), message.header.interval_seconds
            ends = poller.around(source, stamp)
            starts = None if math.isnan(seconds) else poller.around(source, stamp - round(seconds * 1e9))
            if not ends or not starts:
                continue
            for index, ours in enumerate(getattr(message, "cores", [message])):
                def span(columns):
                    first, second, third, fourth = (
                        sum(getattr(times[index] if type(times) is list else times, column) for column in columns)
                        for times in (*starts, *ends))
                    return max(0, third - second), fourth - first
                busy, total = span(("user", "nice", "system", "irq", "softirq", "steal")), span(CPU_COLUMNS[:8])
                low, high = busy[0] / max(0.01, total[1]), min(1, busy[1] / max(0.01, total[0]))
                self.row(f"{topic}: usage_ratio", source).add(ours.usage_ratio, low, high, 0.02)

    def print(self):
        lines = [("what", "compared with", "samples", "ours", "theirs", "difference", "bound", "")]
        for (what, source), row in self.rows.items():
            source = source if len(source) < 30 else source[:29] + "…"
            ours, theirs, bound = row.worst
            lines.append((
                what, source, str(len(row.samples)), f"{ours:.9g}", f"{theirs:.9g}", f"{ours - theirs:.3g}",
                f"{bound:.3g}",
                "ok" if row.is_fine else "DISAGREES" if row.samples else "NOTHING TO COMPARE"))
        widths = [max(map(len, column)) for column in zip(*lines)]
        for line in lines:
            print("  ".join(
                word.ljust(width) if place in (0, 1, 7) else word.rjust(width)
                for place, (word, width) in enumerate(zip(line, widths))).rstrip())


async def record(url, topics):
    """The messages by topic, and those topics that the agent does not offer."""
    async with Client(url) as client:
        await asyncio.sleep(1)  # Until slow sources are found.
        offered = [topic for topic in topics if topic in client.channels]
        await client.set_rates(**{topic: rate for topic, rate in RATES.items() if topic in offered})
        await client.subscribe(*offered)
        received = await client.collect(SECONDS)
    messages = {topic: [item.message for item in received if item.topic == topic] for topic in offered}
    return messages, [topic for topic in topics if topic not in offered]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agent", metavar="PATH", required=True, help="start this program")
    options = parser.parse_args()
    wanted = comparisons()
    table = Table()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as settings:
        settings.write('{"boost": {"enabled": false}}')
        settings.flush()
        agent = Agent(options.agent, "--config", settings.name)
    with agent, Load():
        fast, skipped = usable(file_sources() | psutil_sources(agent.process.pid))
        slow, more = usable(command_sources())
        with Poller(fast, FAST_SECONDS) as fast_poller, Poller(slow, SLOW_SECONDS) as slow_poller:
            time.sleep(1)
            topics = list(dict.fromkeys(comparison.topic for comparison in wanted)) + ["/cpu/cores"]
            messages, missing = asyncio.run(record(agent.url, topics))
            time.sleep(1)
    for comparison in wanted:
        for sources, poller in ((fast, fast_poller), (slow, slow_poller)):
            if comparison.source in sources and comparison.topic in messages:
                count = len(table.rows)
                table.compare(comparison, messages[comparison.topic], poller)
                if len(table.rows) == count:
                    table.row(comparison.topic, comparison.source)
    for topic, source in (("/cpu", "psutil.cpu_times"), ("/cpu/cores", "psutil.cpu_times(percpu)")):
        table.compare_usage(topic, source, messages[topic], fast_poller)
    table.print()
    for topic in missing:
        print(f"skipped: {topic} is not offered here")
    for source, reason in (skipped | more).items():
        print(f"skipped: {source}: {reason}")
    bad = [row.what for row in table.rows.values() if not row.is_fine]
    print(f"{len(table.rows)} numbers compared, {len(bad)} disagree{': ' if bad else ''}{', '.join(bad)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
