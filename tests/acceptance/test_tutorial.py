"""docs/tutorial.md, done by a newcomer who types exactly what it says, from the wheel.

Three things are not as on the page. Packages that the wheel needs are borrowed from this environment,
since a test has no network. The port is a free one. The second newcomer has a Slack that is strict."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.slack import TOKEN, Channel, FakeSlack

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "tutorial.md"
PORT = "8910"
BLOCK = re.compile(r"^```(\w+)(?: title=(\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
END = "=-=-= end of command"


@dataclass(frozen=True)
class Block:
    language: str
    title: str
    text: str


def blocks() -> list[Block]:
    return [Block(*found) for found in BLOCK.findall(PAGE.read_text(encoding="utf-8"))]


def commands() -> list[str]:
    return [line for b in blocks() if b.language == "sh" for line in b.text.splitlines()]


def likeness(text: str) -> str:
    """What stays of a line when amounts, instants and spans are left out."""
    # Right after midnight freshness speaks alone, else volume too; either may lead the message.
    line = re.sub(r"is silent|stopped coming", "STOPPED", text)
    line = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", "INSTANT", line)
    line = re.sub(r"\b\d+ (d|h|min|s)\b( \d+ (h|min|s)\b)?", "SPAN", line)
    return re.sub(r"(?<![\w:])\d[\d,.]*", "N", line).strip()


def missing(shown: str, real: str) -> list[str]:
    """Lines of the page that do not come, in their order, in what was printed."""
    printed = iter([likeness(line) for line in real.splitlines()])
    wanted = [likeness(line) for line in shown.splitlines() if line.strip() not in ("…", "")]
    return [line for line in wanted if not any(line == other for other in printed)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--no-index", "--disable-pip-version-check", "--wheel-dir", str(folder), str(ROOT)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (made,) = folder.glob("eventwatch-*.whl")
    return made


@pytest.fixture(scope="module")
def borrowed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All packages of this environment but our own, which would hide the wheel, and the installer."""
    folder = tmp_path_factory.mktemp("borrowed")
    (site,) = Path(sys.prefix).glob("lib/python*/site-packages")
    for entry in site.iterdir():
        if not re.match(r"_?(eventwatch|pip\b|distutils)|.*\.pth$|__pycache__", entry.name):
            (folder / entry.name).symlink_to(entry)
    return folder


class Newcomer:
    """A shell in an empty folder. ``port`` stands where the page has its own."""

    def __init__(self, folder: Path, wheel: Path, borrowed: Path, port: int) -> None:
        self.folder, self.borrowed, self.port = folder, borrowed, str(port)
        self.home = folder / "home"
        self.shop = folder / "shop"
        path = folder / "bin"
        for made in (self.home, self.shop, path):
            made.mkdir(parents=True)
        (self.shop / wheel.name).symlink_to(wheel)
        # `python3` may be another version on this machine than the packages are made for.
        base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
        (path / "python3").write_text(f'#!/bin/sh\nexec "{base}" "$@"\n')
        (path / "python3").chmod(0o755)
        self.screen = folder / "screen"
        with self.screen.open("wb") as screen:
            self.shell = subprocess.Popen(
                ["bash", "--norc", "--noprofile"],
                cwd=self.shop, stdin=subprocess.PIPE, stdout=screen, stderr=subprocess.STDOUT,
                text=True, start_new_session=True,
                env={
                    "PATH": f"{path}:/usr/local/bin:/usr/bin:/bin", "HOME": str(self.home),
                    "LANG": "C.UTF-8", "COLUMNS": "120", "OMP_NUM_THREADS": "1",
                    "PIP_NO_INDEX": "1", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
                },
            )  # fmt: skip

    def saves(self, block: Block) -> None:
        (self.shop / block.title).write_text(self.of_mine(block.text), encoding="utf-8")

    def of_mine(self, text: str) -> str:
        return text.replace(PORT, self.port)

    def types(self, command: str) -> None:
        assert self.shell.stdin is not None
        self.shell.stdin.write(f"{self.of_mine(command)}\nprintf '\\n{END} %s\\n' $?\n")
        self.shell.stdin.flush()

    def printed(self) -> str:
        return self.screen.read_text(encoding="utf-8", errors="replace")

    def waits_for(self, text: str, seconds: float = 90) -> None:
        until = time.monotonic() + seconds
        while text not in self.printed():
            assert time.monotonic() < until, f"never came: {text}\n{self.printed()}"
            assert self.shell.poll() is None, self.printed()
            time.sleep(0.05)

    def does(self, command: str) -> tuple[int, str]:
        """Exit code and what it printed."""
        before = len(self.printed())
        ends = self.printed().count(END)
        self.types(command)
        until = time.monotonic() + 90
        while self.printed().count(END) <= ends or not self.printed().endswith("\n"):
            assert time.monotonic() < until, f"{command} does not end\n{self.printed()}"
            time.sleep(0.05)
        shown, _, code = self.printed()[before:].rpartition(END)
        if command.startswith("python3 -m venv"):
            (site,) = (self.shop / "venv").glob("lib/python*/site-packages")
            (site / "borrowed.pth").write_text(f"{self.borrowed}\n")
            # Python 3.11 brings one of its own, which is too old for grpcio-tools.
            for old in site.glob("setuptools*"):
                shutil.rmtree(old)
        return int(code), shown

    def presses_ctrl_c(self) -> None:
        """As a terminal does: the signal goes to whoever is in front. The shell waits for its child,
        and a stand-in in the background does not hear it."""
        os.killpg(self.shell.pid, signal.SIGINT)


@contextmanager
def newcomer(folder: Path, wheel: Path, borrowed: Path, port: int) -> Iterator[Newcomer]:
    one = Newcomer(folder, wheel, borrowed, port)
    try:
        yield one
    finally:
        os.killpg(one.shell.pid, signal.SIGKILL)
        one.shell.wait()
        if one.shell.stdin is not None:
            one.shell.stdin.close()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_it_takes_fewer_than_ten_commands_and_says_how_many() -> None:
    words = {7: "seven", 8: "eight", 9: "nine"}
    assert (
        f"in {words[len(commands())]} commands" in PAGE.read_text(encoding="utf-8").splitlines()[0]
    )
    assert commands()[-1] == "eventwatch run"


def test_a_newcomer_gets_from_the_wheel_to_an_alert(
    tmp_path: Path, wheel: Path, borrowed: Path
) -> None:
    with newcomer(tmp_path, wheel, borrowed, free_port()) as one:
        real = ""
        for block in blocks():
            if block.title:
                one.saves(block)
            elif block.language == "text":
                for line in (line for line in block.text.splitlines() if line.startswith("SLACK ")):
                    one.waits_for(line)
                    one.waits_for(f"{block.text.splitlines()[2]}\n")
                    real = one.printed()
                assert missing(block.text, real) == [], real
            for line in block.text.splitlines() if block.language == "sh" else ():
                if line == "eventwatch run":
                    one.types(line)
                    continue
                code, real = one.does(line)
                wanted = 1 if "run-once" in line else 0
                assert code == wanted, f"{line}\n{real}"
        where = one.shop / "venv" / "lib"
        assert list(where.glob("python*/site-packages/eventwatch/__init__.py"))
        one.waits_for("rows read")
        # The daemon takes it for a request to stop, in good order.
        one.presses_ctrl_c()
        one.waits_for("stopped")
        assert one.printed().count("SLACK #checkout-alerts") == 1, "it was told more than once"
        assert "Traceback" not in one.printed()
        assert list(one.home.iterdir()) == [], "something was written into the home"


def test_the_same_with_a_slack_that_is_strict(tmp_path: Path, wheel: Path, borrowed: Path) -> None:
    """Its token is its own, its channels are known, and it refuses what breaks Slack's rules."""
    channels = [Channel("C0CHECKOUT", "checkout-alerts"), Channel("C0DATA0001", "data-platform")]
    with (
        FakeSlack(channels=channels).running() as slack,
        newcomer(tmp_path, wheel, borrowed, slack.port) as one,
    ):
        for block in blocks():
            if block.title:
                one.saves(block)
            for line in block.text.splitlines() if block.language == "sh" else ():
                if line.startswith("python slack.py") or "--preview" in line:
                    continue
                typed = line.replace("xoxb-any", TOKEN)
                if line == "eventwatch run":
                    code, shown = one.does("eventwatch doctor")
                    assert code == 0, shown
                    one.types(typed)
                    continue
                code, shown = one.does(typed)
                assert code == 0, f"{line}\n{shown}"
        until = time.monotonic() + 90
        while not slack.messages and time.monotonic() < until:
            assert one.shell.poll() is None, one.printed()
            time.sleep(0.05)
        one.waits_for("rows read")
        one.presses_ctrl_c()
        one.waits_for("stopped")
    assert slack.rejected == []
    (message,) = slack.messages
    assert message.channel == "C0CHECKOUT"
    said = json.dumps(message.body)
    assert "order_paid" in said
    assert "<!subteam^S0CHECKOUT>" in said, "the owner is not called"
