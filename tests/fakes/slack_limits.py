"""How often Slack may be spoken to, and what may go wrong with an answer."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request. With none of the fields set: nothing."""

    error: str = ""
    """``ok: false`` with this code (a webhook: 400 with it as text)."""
    status: int = 200
    retry_after: str | None = None
    stored: bool = False
    """The message was taken nevertheless."""
    closes: bool = False
    """Closes the connection without an answer."""
    truncated: bool = False
    """Announces more than it sends."""
    hangs: bool = False
    """Answers nothing until the test is over."""
    drips: bool = False
    """A byte now and then, for ever."""
    body: str | None = None
    """This instead of an answer."""
    content_type: str = "text/html"
    location: str = ""
    """Redirects there."""


_ODD = (
    ("truncated", Fault(stored=True, truncated=True)),
    ("HTML", Fault(stored=True, body="<html><body>Bad gateway</body></html>")),
    ("empty", Fault(stored=True, body="")),
    ("hanging", Fault(stored=True, hangs=True)),
)


@dataclass
class Chance:
    """Faults by chance, always the same ones for a seed."""

    seed: int = 7
    dropped: float = 0.0
    """The message is taken and the connection closed."""
    broken: float = 0.0
    """The message is taken and the answer is a 500."""
    limited: float = 0.0
    """429, with Retry-After in one of its forms."""
    unread: float = 0.0
    """A question gets a 500 or no answer."""
    odd: float = 0.0
    """The message is taken, and the answer is short, is no JSON, is empty or never comes."""
    forms: tuple[str | None, ...] = ("0", "1", "0.5")
    happened: dict[str, int] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)
    """Ids of the channels whose messages met one."""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def fault(self, *, posts: bool) -> Fault | None:
        """What happens to the next request; None: nothing."""
        x = self._random.random()
        if not posts:
            if x < self.unread:
                return self._noted("unread", Fault(closes=x < self.unread / 2, status=500))
            return None
        for name, share, fault in (
            ("dropped", self.dropped, Fault(stored=True, closes=True)),
            ("broken", self.broken, Fault(stored=True, status=500)),
            ("limited", self.limited, None),
            ("odd", self.odd, None),
        ):
            if x < share:
                if name == "odd":
                    return self._noted(*self._random.choice(_ODD))
                after = self._random.choice(self.forms)
                return self._noted(name, fault or Fault(status=429, retry_after=after))
            x -= share
        return None

    def _noted(self, name: str, fault: Fault) -> Fault:
        self.happened[name] = self.happened.get(name, 0) + 1
        return fault


@dataclass
class Bucket:
    """One each ``every`` seconds, ``burst`` at once after a pause."""

    every: float
    burst: int
    next_at: float = 0.0

    def wait(self, at: float) -> float:
        """Seconds to wait; 0: the token is taken."""
        early = self.next_at - at - self.every * (self.burst - 1)
        # A little is forgiven: two requests overtake one another on their way.
        if early > 0.01 * self.every:
            return early
        self.next_at = max(self.next_at, at) + self.every
        return 0.0
