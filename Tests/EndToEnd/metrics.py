#!/usr/bin/env python3
"""Compares /metrics with what Debian's prometheus-node-exporter says of this host, and of made-up ones.

    metrics.py --agent .build/release/sysmon-agent [--minute]

Both are asked in turn, the exporter just before and just after the agent. A counter of ours must lie between its two
readings; what goes up and down must be near them, nine times in ten. Prints each metric that the exporter has by
default here, and beside it whether ours is equal, or why there is none; exit status 1 if anything disagrees. Then both
read each host of Tests/Fixtures, where all numbers must be the same. promtool must find nothing to complain about in
our text but for the names that are the exporter's, and a parser of OpenMetrics must understand it. With --minute a
Prometheus scrapes the agent for a minute, with a token.

What is not installed here is skipped, with a line that says so.
"""

import argparse
import contextlib
import json
import math
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from agent import Agent

EXPORTER = "prometheus-node-exporter"
FIXTURES = pathlib.Path(__file__).parent.parent / "Fixtures" / "hosts"
ROUNDS = 20
OPENMETRICS = "application/openmetrics-text; version=1.0.0"

# Names of the exporter that we have not, and why.
ABSENT = {
    r"node_memory_(Active|Inactive)_(anon|file)|node_memory_(Bounce|DirectMap|FileHugePages|FilePmdMapped|Hugetlb"
    r"|KReclaimable|NFS_Unstable|SecPageTables|Shmem(HugePages|PmdMapped)|Balloon|VmallocChunk|VmallocTotal"
    r"|WritebackTmp)": "/memory has no such field",
    r"node_disk_info": "needs what udev knows; /disk has the numbers only",
    r"node_network_(info|address_assign_type|carrier$|carrier_(up|down)|device_id|dormant|flags|iface_|name_assign"
    r"|net_dev_group|protocol_type|transmit_queue)": "/net has no such field",
    r"node_network_speed_bytes": "-1 there: not known, which we leave out",
    r"node_network_(receive|transmit)_compressed|node_network_receive_nohandler": "/net has no such field",
    r"node_netstat_Ip_Forwarding": "a setting, not a number",
    r"node_netstat_UdpLite": "/net/protocols has no UDP-Lite",
    r"node_nf_conntrack_stat_ignore": "always 0 since Linux 5.9",
    r"node_entropy": "always 256 since Linux 5.18",
    r"node_timex_pps": "/clock has no PPS",
    r"node_time_(zone|clocksource)": "no channel has it",
    r"node_udp_queues": "no channel has it",
    r"node_selinux": "no channel has it",
    r"node_os_version": "in node_os_info, as version_id",
    r"node_(exporter_build_info|scrape_collector|textfile)": "of the exporter itself; ours begin with sysmon_",
    r"go_|promhttp_|process_": "of the exporter itself",
}

# What only the exporter's labels tell, and so is not compared.
LABELS_OF_THEIRS = {
    "node_uname_info": {"domainname"},
    "node_power_supply_info": {"capacity_level", "manufacturer", "model_name", "serial_number", "technology"},
    "node_os_info": {
        "build_id", "id_like", "image_id", "image_version", "name", "variant", "variant_id", "version",
        "version_codename"},
}


# Of sensors of the made-up hosts that are broken or not connected; we leave them out.
IMPLAUSIBLE = {65535, 65261.85, 7992, -128, 127}

# By how much the asking itself changes a number: connections, files, and threads that run to answer.
MOMENTARY = {
    r"node_filefd_allocated": 8, r"node_sockstat_.*(used|inuse|alloc|tw|orphan)": 4, r"node_netstat_Tcp_CurrEstab": 4,
    r"node_sockstat_.*mem(_bytes)?": 1 << 20, r"node_procs_running": 32}

# Which devices /disk leaves out.
NO_DISK = re.compile(r"(zram|ram|loop|fd)\d+|mmcblk\d+(boot\d+|p\d+)")


def is_left_out(name, labels):
    return name.startswith("node_disk_") and NO_DISK.fullmatch(dict(labels)["device"])


# Texts


def fetch(url, accept=None, token=None):
    request = urllib.request.Request(url)
    if accept:
        request.add_header("Accept", accept)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=5) as response:
        return response.headers["Content-Type"], response.read().decode()


def samples(text):
    """Values by name, by labels; and the types of names."""
    values, types = {}, {}
    for family in parse_text(text):
        for sample in family.samples:
            # One that is empty is none, as Prometheus sees it.
            labels = {key: value for key, value in sample.labels.items() if value}
            for label in LABELS_OF_THEIRS.get(sample.name, ()):
                labels.pop(label, None)
            values.setdefault(sample.name, {})[tuple(sorted(labels.items()))] = sample.value
            types[sample.name] = family.type
    return values, types


# Programs


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def program(*command):
    """Runs it with its output in a file, whose path is given."""
    with tempfile.NamedTemporaryFile("w+") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield log.name
        finally:
            process.terminate()
            process.wait(20)


def await_url(url, seconds=20):
    end = time.monotonic() + seconds
    while True:
        try:
            return fetch(url)
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


@contextlib.contextmanager
def exporter(*options):
    port = free_port()
    with program(EXPORTER, f"--web.listen-address=127.0.0.1:{port}", *options):
        url = f"http://127.0.0.1:{port}/metrics"
        await_url(url)
        yield url


def metrics_url(agent):
    return agent.url.replace("ws", "http", 1) + "/metrics"


# This host


def is_near(ours, before, after, swing, kind, name):
    """`swing`: between the least and the most that the exporter said at any time."""
    low, high = min(before, after), max(before, after)
    if math.isclose(ours, low, rel_tol=1e-9) or math.isclose(ours, high, rel_tol=1e-9):
        return True
    if kind == "counter" or name.startswith(("node_vmstat_", "node_netstat_")) and "CurrEstab" not in name:
        # Idle times step back now and then.
        slack = 0.03 if name == "node_cpu_seconds_total" else 0
    else:
        slack = next((most for what, most in MOMENTARY.items() if re.fullmatch(what, name)), 0)
        if swing:
            slack += 2 * swing + max(1, 0.02 * abs(high))
    return low - slack <= ours <= high + slack


def compare_live(agent_path):
    readings, types, theirs_only, ours_only, names = {}, {}, {}, {}, set()
    with exporter() as their_url, Agent(agent_path) as agent:
        fetch(metrics_url(agent))
        for _ in range(ROUNDS):
            before, kinds = samples(fetch(their_url)[1])
            ours, _ = samples(fetch(metrics_url(agent))[1])
            after, _ = samples(fetch(their_url)[1])
            types.update(kinds)
            names.update(before)
            for name in set(before) & set(after) & set(ours):
                # Each tells of itself.
                if name.startswith("process_"):
                    continue
                theirs = set(before[name]) & set(after[name])
                for labels in theirs & set(ours[name]):
                    readings.setdefault(name, {}).setdefault(labels, []).append(
                        (before[name][labels], ours[name][labels], after[name][labels]))
                theirs_only.setdefault(name, set()).update(theirs - set(ours[name]))
                ours_only.setdefault(name, set()).update(set(ours[name]) - set(before[name]) - set(after[name]))
            time.sleep(0.1)
    failed = []
    for name in sorted(names):
        if name in readings:
            lacking = {labels for labels in theirs_only[name] if not is_left_out(name, labels)}
            wrong = {labels: misses(name, types[name], rounds) for labels, rounds in readings[name].items()}
            wrong = {labels: values for labels, values in wrong.items() if values}
            count = len(readings[name])
            verdict = f"equal, {count} series" if count > 1 else "equal"
            if ours_only[name]:
                verdict += f"; {len(ours_only[name])} more of ours"
            if wrong:
                labels, values = next(iter(wrong.items()))
                verdict = f"DISAGREES {dict(labels)}: {values[:3]}"
            elif lacking:
                verdict = f"LACKS {sorted(lacking)[:3]}"
            if wrong or lacking:
                failed.append(f"{name} {verdict}")
        else:
            verdict = next((f"absent: {why}" for what, why in ABSENT.items() if re.match(what, name)), None)
            if verdict is None:
                verdict = "LACKING, and no reason for it"
                failed.append(f"{name} {verdict}")
        print(f"{name:48} {verdict}")
    print(f"{len(readings)} of {len(names)} names are equal, {len(names) - len(readings)} are not ours")
    return failed


def misses(name, kind, rounds):
    """The rounds in which ours was not near, if they are more than chance makes them."""
    theirs = [value for before, _, after in rounds for value in (before, after)]
    swing = max(theirs) - min(theirs)
    far = [(before, ours, after) for before, ours, after in rounds
           if not is_near(ours, before, after, swing, kind, name)]
    return far if len(far) > len(rounds) * (0 if kind == "counter" else 0.1) else []


# Made-up hosts


def compare_fixture(agent_path, folder):
    """Numbers of a snapshot, which stands still: all that both have must be the same."""
    roots = [f"--path.procfs={folder}/proc", f"--path.sysfs={folder}/sys", f"--path.rootfs={folder}"]
    with (exporter(*roots, "--no-collector.netdev.netlink", "--no-collector.filesystem", "--no-collector.uname",
                   "--no-collector.timex", "--no-collector.time", "--no-collector.os") as their_url,
          Agent(agent_path, *[word for root in roots for word in root.split("=", 1)]) as agent):
        fetch(metrics_url(agent))
        # Ours are paths of the host.
        theirs, _ = samples(fetch(their_url)[1].replace(f'path="{folder}', 'path="'))
        ours, _ = samples(fetch(metrics_url(agent))[1])
    failed, count = [], 0
    for name in sorted(set(theirs) & set(ours)):
        if not name.startswith("node_"):
            continue
        left, right = theirs[name], ours[name]
        if name.startswith("node_hwmon_"):
            count += len(right)
            failed += sensor_differences(name, left, right)
            continue
        for labels in set(left) & set(right):
            count += 1
            if not math.isclose(left[labels], right[labels], rel_tol=1e-6, abs_tol=1e-9):
                failed.append(f"{name}{dict(labels)}: {left[labels]} there, {right[labels]} here")
        for labels in set(left) - set(right):
            # There an offline CPU that is not the last has zeros.
            if is_left_out(name, labels) or name.startswith("node_cpu") and left[labels] == 0:
                continue
            # -1: not known.
            if name == "node_network_speed_bytes" and left[labels] < 0:
                continue
            failed.append(f"{name}{dict(labels)}: {left[labels]} there, nothing here")
    print(f"{folder.parent.name + '/' + folder.name:48} {count} series of both, {len(failed)} differ")
    for line in failed:
        print(f"    {line}")
    return failed


def sensor_differences(name, theirs, ours):
    """Chips have other names there, so numbers are compared by sensor, without the chip."""
    failed = []
    for sensor in {dict(labels)["sensor"] for labels in theirs}:
        left, right = (
            [value for labels, value in series.items() if dict(labels)["sensor"] == sensor]
            for series in (theirs, ours))
        for value in right:
            same = [other for other in left if math.isclose(other, value, rel_tol=1e-9)]
            if same:
                left.remove(same[0])
            elif name != "node_hwmon_sensor_label":
                # Ours has one for sensors without a name, too.
                failed.append(f"{name} {sensor}: {value} here, not there")
        failed += [f"{name} {sensor}: {value} there, nothing here" for value in left if value not in IMPLAUSIBLE]
    return failed


# Formats


def check_formats(agent_path):
    failed = []
    with Agent(agent_path) as agent:
        kind, text = fetch(metrics_url(agent))
        open_kind, open_text = fetch(metrics_url(agent), OPENMETRICS)
    if kind != "text/plain; version=0.0.4; charset=utf-8" or not open_kind.startswith(OPENMETRICS):
        failed.append(f"content types {kind} and {open_kind}")
    families = list(parse_openmetrics(open_text))
    count = sum(len(family.samples) for family in families)
    print(f"{'OpenMetrics':48} {len(families)} families, {count} series")
    if shutil.which("promtool") is None:
        print("promtool is not installed: its check is skipped")
        return failed
    result = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    lines = (result.stdout + result.stderr).splitlines()
    # As the kernel writes them, so the exporter names them.
    kernels = re.compile(r"node_(memory|netstat)_\w+ metric names should be written in 'snake_case' not 'camelCase'")
    complaints = [line for line in lines if not kernels.match(line)]
    print(f"{'promtool check metrics':48} {len(complaints)} complaints, "
          f"{len(lines) - len(complaints)} about names that are the exporter's")
    return failed + complaints


# A real Prometheus


def scrape_for_a_minute(agent_path, seconds=60):
    if shutil.which("prometheus") is None:
        print("prometheus is not installed: its scrapes are skipped")
        return []
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        tokens, token_file = pathlib.Path(folder, "tokens"), pathlib.Path(folder, "token")
        made = subprocess.run(
            [agent_path, "token", "new", "--role", "viewer", "--name", "prometheus"], capture_output=True, text=True,
            check=True)
        tokens.write_text(made.stdout)
        tokens.chmod(0o600)
        token_file.write_text(re.search(r"[A-Za-z0-9_-]{30,}", made.stderr).group())
        port = free_port()
        with Agent(agent_path, "--token-file", str(tokens)) as agent:
            try:
                fetch(metrics_url(agent))
                failed.append("no token was asked for")
            except urllib.error.HTTPError as error:
                if error.code != 401:
                    failed.append(f"status {error.code} without a token")
            config = pathlib.Path(folder, "prometheus.yml")
            config.write_text(f"""\
scrape_configs:
  - job_name: sysmon-agent
    scrape_interval: 2s
    scrape_timeout: 2s
    authorization:
      credentials_file: {token_file}
    static_configs:
      - targets: ["127.0.0.1:{agent.port}"]
""")
            with program("prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
                         f"--web.listen-address=127.0.0.1:{port}") as log:
                await_url(f"http://127.0.0.1:{port}/-/ready")

                def ask(query):
                    address = f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(query)}"
                    return [float(item["value"][1]) for item in json.loads(fetch(address)[1])["data"]["result"]]

                # The first scrape makes the collectors.
                while not ask("up == 1"):
                    time.sleep(0.2)
                files = [len(os.listdir(f"/proc/{agent.process.pid}/{what}")) for what in ("fd", "task")]
                time.sleep(seconds)
                later = [len(os.listdir(f"/proc/{agent.process.pid}/{what}")) for what in ("fd", "task")]
                scrapes = ask(f"count_over_time(up[{seconds}s])")
                ups = ask(f"sum_over_time(up[{seconds}s])")
                scraped = ask("scrape_samples_scraped")
                kept = ask("scrape_samples_post_metric_relabeling")
                busy = ask('sum(rate(node_cpu_seconds_total{mode!="idle"}[30s]))')
                duration = ask(f"max_over_time(scrape_duration_seconds[{seconds}s])")
                series = ask('count({job="sysmon-agent",__name__!~"up|scrape_.*"})')
                complaints = [
                    line for line in pathlib.Path(log).read_text().splitlines()
                    if re.search(r"level=(warn|error)", line) and agent_url_is_in(line)]
        lines = [
            ("scrapes", scrapes), ("of them up", ups), ("samples of the last", scraped), ("kept", kept),
            ("series", series), ("busy CPUs", busy), ("longest scrape, s", duration)]
        for name, value in lines:
            print(f"{'Prometheus: ' + name:48} {value}")
        print(f"{'files and threads of the agent':48} {files} at first, {later} at last")
        if not scrapes or scrapes != ups or scrapes[0] < 0.4 * seconds:
            failed.append(f"up {ups} of {scrapes} scrapes")
        if not scraped or scraped != kept or abs(series[0] - scraped[0]) > 3:
            failed.append(f"{scraped} samples scraped, {kept} kept, {series} series")
        if not busy or later[1] != files[1] or later[0] > files[0] + 2:
            failed.append(f"no CPU times, or files grew: {files} to {later}")
        failed += complaints
    return failed


def agent_url_is_in(line):
    """Prometheus warns of what it has no room or right for, too; only what scrapes say is ours."""
    return "scrape" in line or "append" in line


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agent", required=True)
    parser.add_argument("--minute", action="store_true", help="let a Prometheus scrape for a minute")
    options = parser.parse_args()
    failed = []
    if shutil.which(EXPORTER) is None:
        print(f"{EXPORTER} is not installed: the comparison is skipped")
    else:
        failed += compare_live(options.agent)
        # The exporter does not start on the garbled host.
        for folder in sorted(path for path in FIXTURES.glob("*/t[01]") if path.parent.name != "garbled"):
            failed += compare_fixture(options.agent, folder)
    failed += check_formats(options.agent)
    if options.minute:
        failed += scrape_for_a_minute(options.agent)
    for line in failed:
        print(f"failed: {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
