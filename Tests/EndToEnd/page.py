#!/usr/bin/env python3
"""Looks at the built-in page in Chromium: that it draws, sets rates, obeys its policy, and stops when nobody looks.

    page.py --agent .build/release/sysmon-agent [--images docs/images]

Prints a line for each check; exit status 1 if one failed, 0 if there is no Chromium. `--images` also takes pictures.
"""

import argparse
import asyncio
import base64
import contextlib
import hashlib
import itertools
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from websockets.asyncio.client import connect

from agent import Agent
from client import Client

SIZES = {"page-light": (1280, 1210, False), "page-dark": (1280, 1210, True), "page-phone": (390, 1400, False)}
IMAGE_BYTES_MAX = 150 * 1024
PAGE_BYTES_MAX = 60 * 1024


class Browser:
    """Chromium by its DevTools protocol; use with `async with Browser(program) as browser:`."""

    def __init__(self, program):
        self.program = program
        self.ids = itertools.count(1)
        self.answers = {}
        self.session = None
        self.complaints = []  # Errors of scripts, and what the page's policy forbade.
        self.requests = []  # Addresses.
        self.frames = []  # (direction, text) of the page's WebSocket.

    async def __aenter__(self):
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.process = await asyncio.create_subprocess_exec(
            self.program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--hide-scrollbars", "--no-proxy-server", "--remote-debugging-port=0",
            f"--user-data-dir={self.profile.name}", "about:blank",
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        async with asyncio.timeout(30):
            while not (match := re.search(rb"DevTools listening on (ws://\S+)", await self.process.stderr.readline())):
                pass
        self.drain = asyncio.create_task(self.process.stderr.read())
        self.socket = await connect(match[1].decode(), max_size=None, proxy=None, compression=None)
        self.reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_):
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self.socket.send(json.dumps({"id": 0, "method": "Browser.close"})), 2)
            await asyncio.wait_for(self.process.wait(), 5)
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        self.reader.cancel()
        self.drain.cancel()
        self.profile.cleanup()

    async def _read(self):
        async for text in self.socket:
            message = json.loads(text)
            if "id" in message:
                if future := self.answers.pop(message["id"], None):
                    future.set_result(message)
            else:
                self._hear(message["method"], message.get("params", {}))

    def _hear(self, method, parameters):
        if method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.complaints.append(parameters["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Network.webSocketFrameSent":
            self.frames.append(("sent", parameters["response"]["payloadData"]))
        elif method == "Network.webSocketFrameReceived":
            self.frames.append(("received", parameters["response"]["payloadData"]))

    async def call(self, method, _session=True, **parameters):
        identifier = next(self.ids)
        message = {"id": identifier, "method": method, "params": parameters}
        if _session and self.session:
            message["sessionId"] = self.session
        future = self.answers[identifier] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps(message))
        answer = await asyncio.wait_for(future, 30)
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    async def open(self, url, width=1280, height=1180, is_dark=False):
        """A new page, which replaces the last one."""
        if self.session:
            await self.call("Page.close")
        target = await self.call("Target.createTarget", _session=False, url="about:blank")
        attached = await self.call(
            "Target.attachToTarget", _session=False, targetId=target["targetId"], flatten=True)
        self.session = attached["sessionId"]
        self.complaints, self.requests, self.frames = [], [], []
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")
        await self.resize(width, height, is_dark)
        await self.call("Page.navigate", url=url)

    async def resize(self, width, height, is_dark=False):
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        await self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}])

    async def run(self, expression):
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def wait(self, expression, seconds=10):
        end = time.monotonic() + seconds
        # What is asked of may not be there yet.
        attempt = f"(() => {{ try {{ return {expression}; }} catch {{ return null; }} }})()"
        while not (value := await self.run(attempt)):
            assert time.monotonic() < end, f"not true in {seconds} s: {expression}; {self.complaints}"
            await asyncio.sleep(0.1)
        return value

    async def picture(self, path):
        answer = await self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(answer["data"]))

    def operations(self, direction):
        found = []
        for way, text in self.frames:
            if way == direction and text.startswith("{"):
                found.append(json.loads(text))
        return found


IS_LIVE = "document.getElementById('state').textContent === 'live'"
# A picture counts when something was drawn in the colour of the line.
IS_DRAWN = """(() => {
  const canvas = document.querySelector('#cpu canvas');
  const copy = document.createElement('canvas');
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const context = copy.getContext('2d', { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const pixels = context.getImageData(0, 0, copy.width, copy.height).data;
  let count = 0;
  for (let i = 0; i < pixels.length; i += 4) if (pixels[i + 2] > pixels[i] + 80 && pixels[i + 3] > 0) count++;
  return count > 50;
})()"""
CHECKS = []


def check(name):
    def register(function):
        CHECKS.append((name, function))
        return function
    return register


def http(url):
    return url.replace("ws", "http", 1)


@check("it is live and draws, from its own address alone, and nothing is forbidden")
async def _(browser, agent):
    await browser.open(http(agent.url))
    await browser.wait(IS_LIVE)
    await browser.wait(IS_DRAWN)
    assert await browser.run("document.getElementById('hostname').textContent") != "sysmon-agent"
    for name in ("cpu", "memory", "network", "disk", "agent"):
        await browser.wait(f"/[0-9]/.test(document.querySelector('#{name} .value').textContent)")
    assert not browser.complaints, browser.complaints
    foreign = [url for url in browser.requests if not url.startswith(http(agent.url))]
    assert not foreign, foreign


@check("it is smaller than 60 KB")
async def _(browser, agent):
    sizes = await browser.run(
        "performance.getEntries().filter(e => 'decodedBodySize' in e).map(e => e.decodedBodySize)")
    assert len(sizes) >= 8 and 10_000 < sum(sizes) < PAGE_BYTES_MAX, sizes


@check("a rate is changed in the page and comes on the wire")
async def _(browser, agent):
    async with Client(agent.url) as client:
        await client.subscribe("/cpu")
        before = len(await client.collect(2))
        await browser.run("""(() => {
          const input = document.querySelector('#cpu input');
          input.value = '25';
          input.dispatchEvent(new Event('change'));
        })()""")
        await client.collect(0.5)
        after = len(await client.collect(2))
    assert 15 <= before <= 25 and 40 <= after <= 60, (before, after)
    sent = [operation for operation in browser.operations("sent") if operation["op"] == "setParameters"]
    assert [entry["name"] for entry in sent[-1]["parameters"]] == ["/cpu.rate_hertz"], sent


@check("a rate out of bounds is refused in words, and what is in effect stands there again")
async def _(browser, agent):
    await browser.run("""(() => {
      const input = document.querySelector('#cpu input');
      input.value = '2000';
      input.dispatchEvent(new Event('change'));
    })()""")
    text = await browser.wait("document.querySelector('#notices .error')?.textContent")
    assert "1000" in text, text
    await browser.wait("document.querySelector('#cpu input').value === '25'")


@check("what is folded is not subscribed to, nor anything while the page is hidden")
async def _(browser, agent):
    async def subscriptions():
        async with Client(agent.url) as client:
            await client.subscribe("/agent")
            return (await client.collect(1.5))[-1].message.subscriptions - 1

    full = await subscriptions()
    await browser.run("document.getElementById('memory').open = false")
    await asyncio.sleep(0.3)
    assert await subscriptions() == full - 1
    await browser.run("""(() => {
      Object.defineProperty(document, 'hidden', { value: true, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    })()""")
    await asyncio.sleep(0.3)
    assert await subscriptions() == 0
    await browser.run("""(() => {
      delete document.hidden;
      document.dispatchEvent(new Event('visibilitychange'));
      document.getElementById('memory').open = true;
    })()""")
    await browser.wait(IS_LIVE)
    await asyncio.sleep(0.3)
    assert await subscriptions() == full


@check("links open the viewers with this address and layout")
async def _(browser, agent):
    links = await browser.run("[...document.querySelectorAll('#open a')].map(a => a.href)")
    address = agent.url.replace(":", "%3A").replace("/", "%2F") + "%2F"
    assert all(f"ds.url={address}" in link for link in links[:4]), links
    assert links[3].endswith("&layoutUrl=" + http(address).replace("%2F", "%2F") + "layouts%2Foverview.json"), links


@check("no markup of the agent's becomes markup of the page")
async def _(browser, agent):
    with Agent(agent.path, "--name", "<img src=x onerror=alert(1)>") as other:
        await browser.open(http(other.url))
        await browser.wait("document.getElementById('hostname').textContent.startsWith('<img')")
        assert not await browser.run("document.querySelector('img')")


@check("it comes back when the agent does, and says meanwhile that it is gone")
async def _(browser, agent):
    with Agent(agent.path) as first:
        await browser.open(http(first.url))
        await browser.wait(IS_LIVE)
        await browser.wait(IS_DRAWN)
        port = first.port
        first.terminate()
        await browser.wait("document.getElementById('state').dataset.state === 'lost'")
        await browser.wait("document.querySelector('#cpu.stale .note').textContent.startsWith('no data for')")
    with Agent(agent.path, "--port", str(port)):
        await browser.wait(IS_LIVE, 15)
        await browser.wait("!document.querySelector('#cpu.stale')")


@check("a token is kept; a viewer learns why it may change nothing")
async def _(browser, agent):
    with tempfile.NamedTemporaryFile("w") as tokens:
        tokens.write(f"viewer:vera:{hashlib.sha256(b'the/token').hexdigest()}\n")
        tokens.flush()
        with Agent(agent.path, "--token-file", tokens.name) as guarded:
            await browser.open(http(guarded.url) + "/?token=the/token")
            await browser.wait(IS_LIVE)
            assert (await browser.run("location.pathname")) == "/t/the%2Ftoken/"
            await browser.wait("!document.querySelector('#cpu input').disabled")
            await browser.run("""(() => {
              const input = document.querySelector('#cpu input');
              input.value = '7';
              input.dispatchEvent(new Event('change'));
            })()""")
            await browser.wait("document.querySelector('#notices')?.textContent.includes('Only operators')")
            await browser.wait("document.querySelector('#cpu input').disabled")
            assert await browser.run("document.querySelector('#cpu input').value") == "10"
            assert not browser.complaints, browser.complaints


async def take_pictures(browser, path, folder):
    folder.mkdir(parents=True, exist_ok=True)
    with Agent(path) as agent:
        await browser.open(http(agent.url))
        # Until the charts are full.
        await asyncio.sleep(62)
        for name, (width, height, is_dark) in SIZES.items():
            await browser.resize(width, height, is_dark)
            await asyncio.sleep(1)
            picture = folder / f"{name}.png"
            await browser.picture(picture)
            width_used = await browser.run("document.documentElement.scrollWidth")
            assert width_used <= width, f"{name}: {width_used} pixels wide"
            assert picture.stat().st_size <= IMAGE_BYTES_MAX, f"{picture} has {picture.stat().st_size} bytes"
            print(f"     {picture} ({picture.stat().st_size // 1024} KiB)")


async def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agent", metavar="PATH", required=True)
    parser.add_argument("--images", metavar="FOLDER", type=pathlib.Path, help="take pictures of the page")
    parser.add_argument("--only", default="", help="run only checks whose name contains this; they may need others")
    options = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        print("there is no Chromium here: nothing was checked")
        return 0
    failed = 0
    async with Browser(program) as browser:
        # Whatever else this machine does must not raise the rates that are looked at here.
        settings = tempfile.NamedTemporaryFile("w", suffix=".json")
        settings.write('{"boost": {"enabled": false}}')
        settings.flush()
        with settings, Agent(options.agent, "--config", settings.name) as agent:
            agent.path = options.agent
            for name, function in CHECKS:
                if options.only not in name:
                    continue
                try:
                    await asyncio.wait_for(function(browser, agent), 60)
                    print(f"ok   {name}", flush=True)
                except (AssertionError, TimeoutError) as error:
                    failed += 1
                    print(f"FAIL {name}\n     {error!r}", flush=True)
            if options.images:
                await take_pictures(browser, options.agent, options.images)
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
