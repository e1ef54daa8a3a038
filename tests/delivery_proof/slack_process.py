"""The fake Slack in a process of its own, so that killing a sender never touches it.

Reads its options as one JSON argument, prints its port, and ends when its standard input does.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.fakes.slack import HOOK_PATH, WEBHOOK_PATH, Chance, Channel, FakeSlack

SCALE = 50
"""So many times faster than Slack: a message each 20 ms and channel instead of each second."""


@dataclass(frozen=True)
class Slack:
    """A running fake."""

    port: int

    @property
    def base_url(self) -> str:
        """For the token."""
        return f"http://127.0.0.1:{self.port}/api/"

    @property
    def webhook_url(self) -> str:
        """Slack's own kind."""
        return f"http://127.0.0.1:{self.port}{WEBHOOK_PATH}"

    @property
    def hook_url(self) -> str:
        """The JSON one."""
        return f"http://127.0.0.1:{self.port}{HOOK_PATH}"

    def dump(self) -> dict[str, Any]:
        """All that it accepted."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_dump", timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
            return found


def channel_names(count: int) -> list[str]:
    """As they stand in the rows."""
    return [f"#owner-{n:03}" for n in range(count)]


@contextlib.contextmanager
def running(channels: int, chance: dict[str, Any], resting: float = 0.0) -> Iterator[Slack]:
    """With ``resting`` the first channel answers 429 at first and is closed for so many seconds."""
    options = json.dumps({"channels": channels, "chance": chance, "resting": resting})
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.delivery_proof.slack_process", options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield Slack(int(process.stdout.readline()))
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=30)


def _main() -> None:
    options = json.loads(sys.argv[1])
    names = channel_names(options["channels"])
    fake = FakeSlack(
        channels=[Channel(f"C0OWNER{n:03}", name[1:]) for n, name in enumerate(names)],
        ticks=True,
        limited=True,
        every=1 / SCALE,
        burst=3,
        chance=Chance(**options["chance"]),
        keeps_requests=False,
        channel_page=999,
    )
    if options["resting"]:
        fake.refuse(fake.channels[0], options["resting"])
    with fake.running():
        print(fake.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    _main()
