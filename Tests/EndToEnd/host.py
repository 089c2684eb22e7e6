"""Reads /proc by itself, so that what the agent says can be compared with what the kernel says."""

import bisect
import os
import threading
import time

CPU_COLUMNS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice")
TICK_HERTZ = os.sysconf("SC_CLK_TCK")

# /proc/net/dev: column 1, 2, ... of its lines.
NET_COLUMNS = (
    "rx_bytes_total", "rx_packets_total", "rx_errors_total", "rx_dropped_total", "rx_fifo_errors_total",
    "rx_frame_errors_total", None, "rx_multicast_total", "tx_bytes_total", "tx_packets_total", "tx_errors_total",
    "tx_dropped_total", "tx_fifo_errors_total", "tx_collisions_total", "tx_carrier_errors_total", None)

MEMORY_LINES = {
    "total_bytes": "MemTotal", "free_bytes": "MemFree", "available_bytes": "MemAvailable",
    "buffers_bytes": "Buffers", "cached_bytes": "Cached", "shmem_bytes": "Shmem", "anonymous_bytes": "AnonPages",
    "mapped_bytes": "Mapped", "active_bytes": "Active", "inactive_bytes": "Inactive",
    "unevictable_bytes": "Unevictable", "locked_bytes": "Mlocked", "dirty_bytes": "Dirty",
    "writeback_bytes": "Writeback", "slab_bytes": "Slab", "slab_reclaimable_bytes": "SReclaimable",
    "slab_unreclaimable_bytes": "SUnreclaim", "kernel_stack_bytes": "KernelStack",
    "page_tables_bytes": "PageTables", "percpu_bytes": "Percpu", "vmalloc_used_bytes": "VmallocUsed",
    "commit_limit_bytes": "CommitLimit", "committed_bytes": "Committed_AS", "swap_total_bytes": "SwapTotal",
    "swap_free_bytes": "SwapFree", "swap_cached_bytes": "SwapCached", "huge_page_size_bytes": "Hugepagesize",
}


def parse_stat(text):
    """Ticks of each "cpu" line by name, a tuple in the order of CPU_COLUMNS; of other lines the first number."""
    values = {}
    for line in text.splitlines():
        name, *numbers = line.split()
        if name.startswith("cpu"):
            ticks = [int(number) for number in numbers[:10]]
            values[name] = tuple(ticks + [0] * (10 - len(ticks)))
        elif numbers:
            values[name] = int(numbers[0])
    return values


def parse_meminfo(text):
    """Bytes, or plain numbers for lines without a unit."""
    values = {}
    for line in text.splitlines():
        name, number, *unit = line.replace(":", " ").split()
        values[name] = int(number) * (1024 if unit == ["kB"] else 1)
    return values


def parse_net_dev(text):
    interfaces = {}
    for line in text.splitlines():
        if "|" not in line:
            name, numbers = line.rsplit(":", 1)
            columns = zip(NET_COLUMNS, map(int, numbers.split()))
            interfaces[name.strip()] = {column: number for column, number in columns if column}
    return interfaces


def parse_loadavg(text):
    one, five, fifteen, tasks, last_pid = text.split()
    return {
        "load1": float(one), "load5": float(five), "load15": float(fifteen),
        "tasks_total": int(tasks.split("/")[1]), "last_pid": int(last_pid),
    }


def parse_uptime(text):
    return [float(number) for number in text.split()]


def read_file(path):
    """In one go, as the kernel writes it."""
    file = os.open(path, os.O_RDONLY)
    try:
        text = b""
        while part := os.pread(file, 1 << 18, len(text)):
            text += part
        return text.decode()
    finally:
        os.close(file)


def file(name, parse):
    """A source of a Poller: a file below /proc."""
    return (lambda: read_file(f"/proc/{name}"), parse)


FILES = {
    "stat": file("stat", parse_stat), "meminfo": file("meminfo", parse_meminfo),
    "net/dev": file("net/dev", parse_net_dev), "loadavg": file("loadavg", parse_loadavg),
    "uptime": file("uptime", parse_uptime),
}


class Poller:
    """Reads sources again and again on a thread of its own and keeps every reading with its time.

    A source is a pair of functions: one reads, the other parses what was read, later and only where it is looked at.
    """

    # How far from a stamp a read must lie to count as before or after it: half an agent's read, and then some for
    # a reader that lost its CPU in the middle.
    margin = 5_000_000

    def __init__(self, sources=None, period=0.004):
        self.sources = sources or FILES
        self.period = period
        self.begins = {name: [] for name in self.sources}
        self.ends = {name: [] for name in self.sources}
        self._texts = {name: [] for name in self.sources}
        self._parsed = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        while not self._stop.wait(self.period):
            for name, (read, _) in self.sources.items():
                begin = time.time_ns()
                self._texts[name].append(read())
                self.ends[name].append(time.time_ns())
                self.begins[name].append(begin)  # Last, so that all lists reach as far as this one.

    def _value(self, name, index):
        key = (name, index)
        if key not in self._parsed:
            self._parsed[key] = self.sources[name][1](self._texts[name][index])
        return self._parsed[key]

    def around(self, name, stamp):
        """The last reading before and the first one after a stamp in Unix nanoseconds; None: there is none."""
        before = bisect.bisect_right(self.ends[name], stamp - self.margin) - 1
        after = bisect.bisect_left(self.begins[name], stamp + self.margin)
        if before < 0 or after >= len(self.begins[name]):
            return None
        return self._value(name, before), self._value(name, after)

    def near(self, name, stamp, distance=100_000_000):
        """All readings at most `distance` nanoseconds away."""
        first = bisect.bisect_left(self.begins[name], stamp - distance)
        last = bisect.bisect_right(self.ends[name], stamp + distance)
        return [self._value(name, index) for index in range(first, min(last, len(self.begins[name])))]
