"""Drives WebKit and Firefox as Debian has them, by the commands of W3C WebDriver.

Playwright drives neither of these, and Debian has no geckodriver for Selenium. WebKitWebDriver
takes the commands over HTTP, and Firefox itself takes the same ones from a socket (Marionette).
Every wait has a limit, and all processes of a browser end with its block.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL
from typing import Any, Protocol, TypeVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from harness.launcher import free_port

Result = TypeVar("Result")

START_LIMIT_S = 120  # the machine may be busy
COMMAND_LIMIT_S = 120
SCRIPT_LIMIT_MS = 100_000  # shorter, so that the browser tells what it waited for
POLL_S = 0.1
MINIBROWSER = "/usr/lib/*/webkit2gtk-4.*/MiniBrowser"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the name of a reference, from the standard
CAPABILITIES: dict[str, Any] = {
    "timeouts": {"script": SCRIPT_LIMIT_MS, "pageLoad": SCRIPT_LIMIT_MS}
}
# The result of a script, or the text of its error, for ExecuteAsyncScript.
SCRIPT = """
const [values, done] = arguments;
(async (...values) => { %s })(...values).then(
    (value) => done({ value: value ?? null }), (error) => done({ error: String(error) }));
"""
WAIT = """
const [limit] = values;
for (const end = Date.now() + limit; !(%s); await new Promise((next) => setTimeout(next, 50))) {
    if (Date.now() > end) throw new Error(`${limit} ms: ${document.body.innerText.slice(0, 300)}`);
}
"""


class DriverError(Exception):
    """A browser did not start, or refused a command."""


class Send(Protocol):
    """Sends a command, named as in Marionette, and returns its result."""

    def __call__(self, command: str, /, **parameters: Any) -> Any:
        """See the class.

        Raises:
            DriverError, OSError: the command failed, or took longer than `COMMAND_LIMIT_S`.
        """


class Tab:
    """The tab of a running browser, whose downloads go to a folder."""

    def __init__(self, send: Send, folder: Path) -> None:
        self._send = send
        self._folder = folder

    def open(self, address: str) -> None:
        """Open an address."""
        self._send("Navigate", url=address)

    def run(self, script: str, *values: Any) -> Any:
        """The result of an asynchronous function body, whose arguments are `values`.

        Raises:
            DriverError: the script threw an error.
        """
        answer = self._send("ExecuteAsyncScript", script=SCRIPT % script, args=[list(values)])
        if "error" in answer:
            raise DriverError(answer["error"])
        return answer["value"]

    def wait(self, condition: str) -> None:
        """Wait until an expression is true.

        Raises:
            DriverError: it was not within three quarters of `SCRIPT_LIMIT_MS`.
        """
        self.run(WAIT % condition, SCRIPT_LIMIT_MS * 3 // 4)

    def type(self, selector: str, text: str) -> None:
        """Press keys in a field."""
        self._send("ElementSendKeys", id=self._find(selector), text=text)

    def click(self, selector: str) -> None:
        """Click."""
        self._send("ElementClick", id=self._find(selector))

    def downloaded(self, ending: str) -> bytes:
        """The only downloaded file with this ending, when it is complete.

        Raises:
            DriverError: there is none within `COMMAND_LIMIT_S`.
        """
        end, size = time.monotonic() + COMMAND_LIMIT_S, 0
        while time.monotonic() < end:
            for path in self._folder.glob(f"*{ending}"):
                if 0 < size == path.stat().st_size:
                    return path.read_bytes()
                size = path.stat().st_size
            time.sleep(POLL_S)
        raise DriverError(f"no file *{ending} was downloaded within {COMMAND_LIMIT_S} s")

    def _find(self, selector: str) -> str:
        found = self._send("FindElement", using="css selector", value=selector)
        return str(found.get("value", found)[ELEMENT])


def missing_for(name: str) -> str | None:
    """What is not installed for a browser; None: nothing."""
    programs = {"webkit": ("WebKitWebDriver", "Xvfb"), "firefox": ("firefox-esr",)}[name]
    return next((program for program in programs if shutil.which(program) is None), None)


@contextmanager
def webkit(folder: Path, storage: bool = True) -> Iterator[Tab]:
    """WebKitGTK on a screen in memory.

    Args:
        folder: an empty one, for what it keeps and downloads.
        storage: whether pages may keep anything.
    Raises:
        DriverError: it did not start.
    """
    found = [str(path) for path in Path("/").glob(MINIBROWSER.removeprefix("/"))]
    arguments = ["--automation", *([] if storage else ["--enable-html5-local-storage=false"])]
    options = {"binary": found[0], "args": arguments} if found else {}
    environment: dict[str, Any] = {
        "HOME": str(folder),  # where it puts downloads too
        "XDG_RUNTIME_DIR": str(folder),
        # The sandbox needs namespaces, which a container may not have.
        "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
        "WEBKIT_DISABLE_DMABUF_RENDERER": "1",  # there is no graphics card
    }
    port = free_port()
    with (
        _screen(folder) as display,
        _program("WebKitWebDriver", f"--port={port}", DISPLAY=display, **environment) as process,
    ):
        send = _http(port)
        wanted = {**CAPABILITIES, "webkitgtk:browserOptions": options}
        _first(process, lambda: send("NewSession", capabilities={"alwaysMatch": wanted}))
        yield Tab(send, folder)


@contextmanager
def firefox(folder: Path, storage: bool = True) -> Iterator[Tab]:
    """Firefox without a window; arguments and errors as for `webkit`."""
    preferences = {
        "browser.download.dir": str(folder),
        "browser.download.folderList": 2,  # that folder
        "browser.shell.checkDefaultBrowser": False,
        "datareporting.policy.dataSubmissionEnabled": False,
        "marionette.port": 0,  # any free one, which it writes to a file
        "network.cookie.cookieBehavior": 0 if storage else 2,  # 2: none, and no storage
    }
    lines = [f"user_pref({json.dumps(n)}, {json.dumps(v)});\n" for n, v in preferences.items()]
    (folder / "user.js").write_text("".join(lines))
    port = folder / "MarionetteActivePort"
    command = ("firefox-esr", "--headless", "--marionette", "--no-remote", "--profile", str(folder))
    with _program(*command, HOME=str(folder)) as process:
        connection = _first(process, lambda: _connection(int(port.read_text())))
        with connection, connection.makefile("rb") as answers:
            send = _marionette(connection, answers)
            send("NewSession", **CAPABILITIES)
            yield Tab(send, folder)


def _connection(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), COMMAND_LIMIT_S)


@contextmanager
def _screen(folder: Path) -> Iterator[str]:
    """A screen in memory; its name for DISPLAY."""
    path = folder / "display"
    with (
        path.open("w") as written,
        _program("Xvfb", "-displayfd", "1", "-nolisten", "tcp", output=written.fileno()) as process,
    ):
        yield f":{_first(process, lambda: int(path.read_text()))}"


@contextmanager
def _program(
    *command: str, output: int = subprocess.DEVNULL, **environment: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """A program, which is killed at the end of the block with all that it has started."""
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, SIGKILL)  # before the wait: afterwards its number is free again
        process.wait()


def _first(process: "subprocess.Popen[bytes]", attempt: Callable[[], Result]) -> Result:
    """The result of the first attempt that finds the program ready.

    Raises:
        DriverError: it ended, or was not ready within `START_LIMIT_S`.
    """
    end = time.monotonic() + START_LIMIT_S
    while True:
        try:
            return attempt()
        except (OSError, ValueError) as error:
            if process.poll() is not None or time.monotonic() > end:
                raise DriverError(f"{process.args!r} did not start: {error}") from error
            time.sleep(POLL_S)


def _http(port: int) -> Send:
    """Commands for a WebDriver that listens on a port of 127.0.0.1."""
    paths = {
        "NewSession": "",
        "Navigate": "/{session}/url",
        "ExecuteAsyncScript": "/{session}/execute/async",
        "FindElement": "/{session}/element",
        "ElementClick": "/{session}/element/{id}/click",
        "ElementSendKeys": "/{session}/element/{id}/value",
    }
    session: Mapping[str, str] = {}

    def send(command: str, /, **parameters: Any) -> Any:
        nonlocal session
        path = paths[command].format(**session, **parameters)
        body = json.dumps(parameters).encode()
        request = Request(f"http://127.0.0.1:{port}/session{path}", body)
        try:
            with urlopen(request, timeout=COMMAND_LIMIT_S) as answer:
                value = json.load(answer)["value"]
        except HTTPError as error:
            raise DriverError(f"{command}: {error.read().decode()}") from error
        if command == "NewSession":
            session = {"session": value["sessionId"]}
        return value

    return send


def _marionette(connection: socket.socket, answers: Any) -> Send:
    """Commands for a Firefox: JSON with its length before it, in both directions."""

    def receive() -> Any:
        length = b""
        while (byte := answers.read(1)) not in (b":", b""):
            length += byte
        return json.loads(answers.read(int(length)))

    receive()  # what Firefox says first: its version

    def send(command: str, /, **parameters: Any) -> Any:
        message = json.dumps([0, 1, f"WebDriver:{command}", parameters]).encode()
        connection.sendall(b"%d:%b" % (len(message), message))
        _, _, error, result = receive()
        if error:
            raise DriverError(f"{command}: {error['error']}: {error['message']}")
        wrapped = isinstance(result, dict) and set(result) == {"value"}
        return result["value"] if wrapped else result

    return send
