"""The page and the plain form of one message, led side by side, so that neither tells more."""

from __future__ import annotations

from eventwatch.alerting import spans
from eventwatch.alerting.live_card import Card
from eventwatch.alerting.page import Page
from eventwatch.alerting.spans import Line
from eventwatch.model.alert import Message


class Writer:
    """The page and the plain form, led side by side."""

    def __init__(self, page: Page, plain: list[Line]) -> None:
        self.page, self.plain = page, plain

    def line(self, line: Line, cap: int | None = None) -> bool:
        """False: there is no room."""
        if not line:
            return True
        taken = self.page.line(line) if cap is None else self.page.line(line, cap)
        if taken:
            self.plain.append(line)
        return taken

    def last(self, line: Line) -> None:
        """The line about the rest, whose room was kept."""
        self.page.force_line(line)
        self.plain.append(line)

    def small(self, line: Line) -> None:
        """The footer, whose room was kept."""
        if line and self.page.footer(line):
            self.plain.append(line)

    def card(self, made: Card) -> bool:
        """False: there is no room for all of it."""
        if not self.page.card(made.body, made.about, made.actions):
            return False
        self.plain += [(), *made.body, *made.about, *made.actions, ()]
        return True

    def divider(self) -> None:
        """What follows is of another sort."""
        self.page.divider()

    def message(self, summary: str) -> Message:
        """In every form."""
        told = [spans.on_terminal(line) for line in self.plain]
        kept = [line for i, line in enumerate(told) if line or (i and told[i - 1])]
        return Message(summary, self.page.json(), "\n".join(kept).rstrip("\n"))
