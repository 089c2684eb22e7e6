#!/usr/bin/env python3
"""Tests the Debian package in a Debian that has nothing else: install, run, upgrade, remove, purge.

    package.py [--suite bookworm]    as root; needs mmdebstrap and a Debian mirror, about a minute

The root directory is made once, as .build/SUITE.tar. There is no systemd in it: what the maintainer scripts tell it
is looked at in the links that they make. Prints a line for each step; exit status 1 if one fails.
"""

import argparse
import asyncio
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile

from agent import Agent
from client import Client

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / ".build/deb"
# What belongs to apt and dpkg themselves, and to the C library.
NOT_LOOKED_AT = re.compile(r"/(var/cache|var/lib/(apt|dpkg)|var/log|proc|sys|dev|tmp|run)(/|$)")


def build(version=None):
    """The path of a package made from the sources as they are."""
    environment = {**os.environ, **({"DEB_VERSION": version} if version else {})}
    subprocess.run([REPOSITORY / "deploy/deb/build.sh"], check=True, env=environment, stdout=subprocess.DEVNULL)
    return max(BUILD.glob("sysmon-agent_*.deb"), key=lambda path: path.stat().st_mtime)


class Root:
    """A Debian in a directory."""

    def __init__(self, path, suite):
        self.path = pathlib.Path(path)
        archive = REPOSITORY / f".build/{suite}.tar"
        if not archive.exists():
            subprocess.run(
                ["mmdebstrap", "--variant=apt", "--aptopt=Acquire::Languages \"none\"", suite, archive], check=True)
        subprocess.run(["tar", "--extract", "--file", archive, "--directory", self.path], check=True)
        shutil.copy("/etc/resolv.conf", self.path / "etc")
        self.run("apt-get", "update", "-q")

    def run(self, *command):
        result = subprocess.run(
            ["chroot", self.path, *command], capture_output=True, text=True, check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"})
        assert result.returncode == 0, f"{' '.join(command)}: {result.stdout}{result.stderr}"
        return result.stdout

    def install(self, package):
        shutil.copy(package, self.path / "tmp")
        return self.run("apt-get", "install", "-q", "-y", "--no-install-recommends", f"/tmp/{package.name}")

    def state(self):
        """Everything that a package could leave behind: names of files, packages, users and groups."""
        files = set()
        for folder, folders, names in os.walk(self.path):
            inside = "/" + os.path.relpath(folder, self.path).removeprefix(".")
            folders[:] = [name for name in folders if not NOT_LOOKED_AT.match(os.path.join(inside, name))]
            files |= {os.path.join(inside, name) for name in [*folders, *names]}
        packages = self.run("dpkg-query", "-W", "-f", "${Package} ${db:Status-Abbrev}\n").splitlines()
        accounts = [(self.path / "etc" / name).read_text() for name in ("passwd", "group")]
        return files | set(packages) | set("".join(accounts).splitlines())

    def __truediv__(self, name):
        return self.path / name


async def serves(root, *options):
    """Runs the installed agent as a user without rights and looks at a sample."""
    with Agent("/usr/bin/sysmon-agent", *options, prefix=["chroot", "--userspec=65534:65534", root.path]) as agent:
        async with Client(agent.url) as client:
            await client.subscribe("/cpu", "/memory")
            topics = {item.topic for item in await client.collect(1)}
            assert topics == {"/cpu", "/memory"}, topics
        agent.process.send_signal(signal.SIGTERM)
        assert agent.process.wait(5) == 0, agent.lines


def check(root, first, second):
    before = root.state()

    root.install(first)
    service = root / "etc/systemd/system/multi-user.target.wants/sysmon-agent.service"
    assert os.readlink(service) == "/lib/systemd/system/sysmon-agent.service"
    assert not os.path.lexists(root / "etc/systemd/system/sockets.target.wants/sysmon-agent.socket")
    tokens, configuration = root / "etc/sysmon-agent/tokens", root / "etc/sysmon-agent/config.json5"
    assert stat.S_IMODE(tokens.stat().st_mode) == 0o600 and tokens.read_bytes() == b"" and tokens.owner() == "root"
    assert stat.S_IMODE(configuration.stat().st_mode) == 0o644
    assert (root / "usr/share/sysmon-agent/layouts/overview.json").exists()
    print("ok   installed")

    version = root.run("sysmon-agent", "--version").strip()
    libraries = root.run("ldd", "/usr/bin/sysmon-agent")
    assert "not found" not in libraries and "swift" not in libraries, libraries
    asyncio.run(serves(root))
    asyncio.run(serves(root, "--config", "/etc/sysmon-agent/config.json5"))
    print(f"ok   {version} runs, with the shipped configuration, too")

    tokens.write_text("viewer:kiosk:" + "0" * 64 + "\n")
    configuration.write_text('{"channels": {"/cpu": {"rate_hertz": 5}}}\n')
    output = root.install(second)
    assert f"over ({first.name.split('_')[1]})" in output, output
    assert "kiosk" in tokens.read_text() and stat.S_IMODE(tokens.stat().st_mode) == 0o600
    assert "rate_hertz" in configuration.read_text() and os.path.lexists(service)
    asyncio.run(serves(root, "--config", "/etc/sysmon-agent/config.json5"))
    print("ok   upgraded: settings and tokens are kept")

    # What systemd would have made.
    state = root / "var/lib/private/sysmon-agent"
    state.mkdir(parents=True)
    (state / "config.json").write_text("{}")
    (root / "var/lib/sysmon-agent").symlink_to("private/sysmon-agent")
    root.run("apt-get", "remove", "-q", "-y", "sysmon-agent")
    assert not (root / "usr/bin/sysmon-agent").exists()
    assert tokens.exists() and configuration.exists() and state.exists()
    print("ok   removed: settings, tokens and state are kept")

    root.run("apt-get", "purge", "-q", "-y", "sysmon-agent")
    root.run("apt-get", "autoremove", "--purge", "-q", "-y")
    assert not state.exists() and not os.path.lexists(root / "var/lib/sysmon-agent")
    after = root.state() - {"/var/lib/private"}  # systemd's.
    assert after == before, f"left behind: {sorted(after - before)}, taken away: {sorted(before - after)}"
    print("ok   purged: nothing is left behind")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suite", default="bookworm", help="release of Debian")
    suite = parser.parse_args().suite
    if os.geteuid() != 0:
        sys.exit("package.py: run as root, which chroot needs")
    first = build()
    second = build(first.name.split("_")[1] + "+next")
    try:
        with tempfile.TemporaryDirectory(prefix="sysmon-root-") as path:
            root = Root(path, suite)
            proc = root / "proc"
            subprocess.run(["mount", "-t", "proc", "proc", proc], check=True)
            try:
                check(root, first, second)
            finally:
                subprocess.run(["umount", "--lazy", proc], check=True)
    finally:
        second.unlink()


if __name__ == "__main__":
    main()
