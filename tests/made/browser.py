"""A headless Chromium, driven over a pipe by its own protocol: pages, keys, pictures, complaints.

    with browser.opened() as tab:
        tab.go(path, "#step=2")
        tab.key("ArrowRight")
        tab.value("document.activeElement.textContent")
"""

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from contextlib import contextmanager
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 60  # seconds
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "End": 35, "Home": 36, "ArrowLeft": 37,
        "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}


START = """import os, sys
source, sink, *program = sys.argv[1:]
os.dup2(int(sink), 99)
os.dup2(int(source), 3)  # where it reads what it is asked
os.dup2(99, 4)
os.close(99)
os.execv(program[0], program)
"""


@contextmanager
def opened(width=1280, height=900):
    """A Tab; the test skips where there is no browser."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"needs a browser, one of {', '.join(NAMES)}")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        tab = Tab(program, profile)
        try:
            tab.begin()
            tab.size(width, height)
            yield tab
        finally:
            tab.end()


class Tab:
    """One page; `complaints` are errors of its console, `requests` what it asked for."""

    def __init__(self, program, profile):
        its_input, self._to = os.pipe()
        self._from, its_output = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", START, str(its_input), str(its_output), program,
             "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
             "--no-first-run", "--disable-dev-shm-usage", "--disable-background-networking",
             f"--user-data-dir={profile}"], pass_fds=(its_input, its_output),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(its_input)
        os.close(its_output)
        self._rest, self._number, self._session = b"", 0, None
        self.complaints, self.requests = [], []

    def begin(self):
        """Open a page, and listen to it."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method, **parameters):
        """Call a method of the protocol; its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def _read(self):
        while b"\0" not in self._rest:
            assert select.select([self._from], [], [], PATIENCE)[0], "the browser says nothing"
            part = os.read(self._from, 1 << 20)
            assert part, "the browser has ended"
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        read = json.loads(message)
        told, event = read.get("params", {}), read.get("method")
        if event == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(told["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning"):
            self.complaints.append(json.dumps(told["args"]))
        elif event == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.complaints.append(told["entry"]["text"])
        elif event == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        return read

    def go(self, path, address="", scripts=True):
        """Open a file, at an address within it."""
        self.ask("Emulation.setScriptExecutionDisabled", value=not scripts)
        for url in ("about:blank", Path(path).resolve().as_uri() + address):
            self.ask("Page.navigate", url=url)
            end = time.monotonic() + PATIENCE
            while self.value("document.readyState + location") != f"complete{url}":
                assert time.monotonic() < end, f"{url} does not load"
                time.sleep(0.02)

    def size(self, width, height):
        """Of the window, in CSS pixels."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=width < 600)

    def value(self, expression):
        """What a JavaScript expression gives."""
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def key(self, *names, shift=False):
        """Press keys, one after the other."""
        for name in names:
            how = {"key": name, "code": "Space" if name == " " else name,
                   "windowsVirtualKeyCode": KEYS[name], "modifiers": 8 * shift}
            more = {"text": {"Enter": "\r", " ": " "}[name]} if name in ("Enter", " ") else {}
            self.ask("Input.dispatchKeyEvent", type="keyDown", **how, **more)
            self.ask("Input.dispatchKeyEvent", type="keyUp", **how)

    def type(self, text):
        """Type letters and digits."""
        for letter in text:
            self.ask("Input.dispatchKeyEvent", type="keyDown", key=letter, text=letter)
            self.ask("Input.dispatchKeyEvent", type="keyUp", key=letter)

    def point(self, selector):
        """Move the mouse onto an element."""
        x, y = self.value(f"(r => [r.x + r.width / 2, r.y + r.height / 2])"
                          f"(document.querySelector({selector!r}).getBoundingClientRect())")
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def picture(self, path, whole=True):
        """Write what the page looks like as a PNG."""
        data = self.ask("Page.captureScreenshot", captureBeyondViewport=whole, **self._all(whole))
        Path(path).write_bytes(b64decode(data["data"]))

    def _all(self, whole):
        if not whole:
            return {}
        high, wide = self.value("[document.documentElement.scrollHeight, innerWidth]")
        return {"clip": {"x": 0, "y": 0, "width": wide, "height": high, "scale": 1}}

    def end(self):
        """Close the browser."""
        self._process.kill()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)
