"""A real browser, told what to do over a pipe (the DevTools protocol), as a person would do it."""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

# Without a screen, a network of its own accord, or anything that is remembered.
SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
_KEYS = {"Tab": (9, ""), "Enter": (13, "\r"), " ": (32, " "), "ArrowDown": (40, "")}
_CODES = {" ": "Space"}


class Browser:
    """One page; `folder` is where it saves what it downloads."""

    def __init__(self, to, back, folder):
        self._to, self._back, self.folder = to, back, folder
        self._text, self._count = b"", 0
        self.session = None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "DOM", "Log"):
            self.send(f"{domain}.enable")
        self.troubles = []

    def send(self, method, **parameters):
        self._count += 1
        said = {"id": self._count, "method": method, "params": parameters}
        if self.session is not None:
            said["sessionId"] = self.session
        os.write(self._to, json.dumps(said).encode() + b"\0")
        while True:
            told = self._next(60)
            if told.get("id") == self._count:
                assert "error" not in told, told
                return told["result"]

    def _next(self, seconds):
        while b"\0" not in self._text:
            assert select.select([self._back], [], [], seconds)[0], "the browser does not answer"
            self._text += os.read(self._back, 1 << 20)
        text, _, self._text = self._text.partition(b"\0")
        told = json.loads(text)
        if told.get("method") == "Log.entryAdded" and told["params"]["entry"]["level"] == "error":
            self.troubles.append(told["params"]["entry"]["text"])
        return told

    def evaluate(self, script):
        told = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def until(self, script, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if value := self.evaluate(script):
                    return value
            except AssertionError:
                pass  # the page is just being replaced
            time.sleep(0.05)
        raise AssertionError(f"never: {script}; it shows {self.evaluate('document.body.innerText')[:500]}")

    def open(self, address):
        self.send("Page.navigate", url=address)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def choose(self, selector, *files):
        """Choose files, as the dialog of the browser does."""
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=node, files=[str(file) for file in files])

    def press(self, key):
        number, text = _KEYS[key]
        code = {"key": key, "code": _CODES.get(key, key), "windowsVirtualKeyCode": number}
        self.send("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **code)
        self.send("Input.dispatchKeyEvent", type="keyUp", **code)

    def tab_to(self, words):
        """Go by the Tab key to what has these words."""
        for _ in range(60):
            self.press("Tab")
            shown = self.evaluate("(e => `${e.tagName} ${e.id || e.textContent}`)(document.activeElement)")
            if words in shown:
                return
        raise AssertionError(f"the Tab key never leads to {words}")

    def saved(self, name, seconds=20):
        """The content of a file that was saved."""
        end = time.monotonic() + seconds
        file = self.folder / name
        while time.monotonic() < end:
            if file.exists() and not list(self.folder.glob("*.crdownload")):
                return file.read_bytes()
            time.sleep(0.05)
        raise AssertionError(f"{name} was not saved, but {sorted(self.folder.iterdir())}")

    def shape(self, width, height, *, phone=False, dark=False, script=True):
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.send("Emulation.setScriptExecutionDisabled", value=not script)

    def picture(self, file):
        told = self.send("Page.captureScreenshot", format="png")
        Path(file).write_bytes(base64.b64decode(told["data"]))

    def audit(self, axe):
        """What axe-core has against the page."""
        self.send("Runtime.evaluate", expression=axe)
        tags = '["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]'
        return self.evaluate(
            f"axe.run(document, {{runOnly: {tags}}}).then(found => found.violations.map(v => v.id + ': ' +"
            " v.nodes.slice(0, 3).map(n => n.html).join(' | ')))"
        )


@contextmanager
def browsing(program, folder):
    folder.mkdir(exist_ok=True)
    to_read, to_write = os.pipe()
    back_read, back_write = os.pipe()
    options = (
        *SWITCHES,
        "--remote-debugging-pipe",
    )
    # The pipes are 3 and 4 in the browser.
    shell = 'exec 3<&"$0" 4>&"$1"; shift; exec "$@"'
    command = ["bash", "-c", shell, str(to_read), str(back_write), program, *options]
    process = subprocess.Popen(
        [*command, f"--user-data-dir={folder.with_name('profile')}"],
        pass_fds=(to_read, back_write),
        stderr=subprocess.DEVNULL,
    )
    os.close(to_read)
    os.close(back_write)
    try:
        browser = Browser(to_write, back_read, folder)
        browser.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
        yield browser
    finally:
        process.kill()
        process.wait()
        os.close(to_write)
        os.close(back_read)
