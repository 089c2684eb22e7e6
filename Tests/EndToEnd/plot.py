#!/usr/bin/env python3
"""Draws what the agent sends while the host is put under load and a rate is changed.

    plot.py --agent .build/release/sysmon-agent --output plot.png

For 30 s: /cpu and /memory start at 2 Hz; from second 8 to 18 a process keeps one CPU busy and holds 300 MiB; at second
12 a patch on /config sets 50 Hz. The x axis is header.stamp. Needs matplotlib, beside requirements.txt.
"""

import argparse
import asyncio
import contextlib
import subprocess
import sys
import time

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402, after the choice of a backend

from agent import Agent  # noqa: E402
from client import Client  # noqa: E402

LOAD = "block = bytearray(b'x') * (300 << 20)\nwhile True: pass\n"
SECONDS, LOAD_START, LOAD_END, RATE_CHANGE = 30, 8, 18, 12
SLOW_HERTZ, FAST_HERTZ = 2, 50


def seconds_of(message):
    return message.header.stamp.seconds + message.header.stamp.nanos / 1e9


async def record(url):
    """The messages of /cpu and /memory, and when things happened in Unix seconds."""
    events = {}

    async def act(client):
        async def at(second, name):
            await asyncio.sleep(start + second - time.time())
            events[name] = time.time()
        await at(LOAD_START, "load starts")
        process = subprocess.Popen([sys.executable, "-c", LOAD])
        try:
            await at(RATE_CHANGE, f"{SLOW_HERTZ} → {FAST_HERTZ} Hz")
            await client.set_rates(**{"/cpu": FAST_HERTZ, "/memory": FAST_HERTZ})
            await at(LOAD_END, "load ends")
        finally:
            process.kill()
            process.wait()

    async with Client(url) as client:
        await client.set_rates(**{"/cpu": SLOW_HERTZ, "/memory": SLOW_HERTZ})
        await client.subscribe("/cpu", "/memory")
        start = time.time()
        actions = asyncio.create_task(act(client))
        received = await client.collect(SECONDS)
        await actions
        if client.statuses:
            sys.exit(f"the agent complains: {client.statuses}")
    return start, received, events


def draw(start, received, events, path):
    cpu = [item.message for item in received if item.topic == "/cpu"]
    memory = [item.message for item in received if item.topic == "/memory"]
    cpu_times = [seconds_of(message) - start for message in cpu]
    memory_times = [seconds_of(message) - start for message in memory]

    figure, axes = pyplot.subplots(3, 1, sharex=True, figsize=(11, 8), layout="constrained")
    style = {"marker": ".", "markersize": 3, "linewidth": 0.8}
    axes[0].plot(cpu_times, [message.usage_ratio for message in cpu], **style)
    axes[0].set(ylabel="/cpu.usage_ratio", ylim=(-0.02, 1.02))
    axes[1].plot(memory_times, [message.used_bytes / (1 << 20) for message in memory], color="tab:green", **style)
    axes[1].set(ylabel="/memory.used_bytes in MiB")
    spacing = [(later - earlier) * 1000 for earlier, later in zip(cpu_times, cpu_times[1:])]
    axes[2].plot(cpu_times[1:], spacing, color="tab:red", linestyle="", marker=".", markersize=3)
    axes[2].set(ylabel="ms since the last /cpu", yscale="log", xlabel="header.stamp, seconds since the start")
    for axis in axes:
        axis.grid(alpha=0.3)
        for moment in events.values():
            axis.axvline(moment - start, color="black", linewidth=0.8, linestyle="--")
    for name, moment in events.items():
        axes[0].annotate(name, (moment - start, 1.03), xycoords=("data", "axes fraction"), ha="center", fontsize=9)
    figure.savefig(path, dpi=120)
    print(f"{len(cpu)} messages of /cpu, {len(memory)} of /memory; wrote {path}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--agent", metavar="PATH", help="start this program")
    target.add_argument("--url", help="use a running agent")
    parser.add_argument("--output", default="plot.png", metavar="PNG")
    options = parser.parse_args()
    with Agent(options.agent) if options.agent else contextlib.nullcontext() as agent:
        start, received, events = asyncio.run(record(options.url or agent.url))
    draw(start, received, events, options.output)


if __name__ == "__main__":
    main()
