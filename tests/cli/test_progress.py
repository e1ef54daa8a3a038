from __future__ import annotations

import io
import threading

import pytest

from eventwatch.cli.progress import progress_line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")


def test_a_pipe_gets_nothing() -> None:
    stream = io.StringIO()
    with progress_line(stream) as progress:
        progress(0.5, "scanning")
    assert stream.getvalue() == ""


def test_a_terminal_gets_words_and_a_share_and_is_left_clean() -> None:
    stream = Terminal()
    with progress_line(stream) as progress:
        progress(0.456, "scanning events")
        threads = [threading.Thread(target=progress, args=(0.46, "x")) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        progress(float("nan"), "judging \x1b[2J")
    text = stream.getvalue()
    assert "\\x1b[2J" in text
    assert text.endswith(("\x1b[2K", "\x1b[?25h"))


def test_the_line_is_gone_also_after_an_error() -> None:
    stream = Terminal()
    with pytest.raises(KeyError), progress_line(stream):
        raise KeyError
    assert stream.getvalue().endswith(("\x1b[2K", "\x1b[?25h"))
