"""What eventwatch uses of Apprise, for machines on which it is not installed.

Only its documented behaviour: ``add`` says whether a URL is one of its own, ``notify`` whether all of
its services took the message, and iterating gives the services.
"""

from __future__ import annotations

import enum
import json
import urllib.request
from collections.abc import Iterator
from types import ModuleType
from typing import Any


class NotifyFormat(enum.Enum):
    """Of bodies."""

    TEXT = "text"
    MARKDOWN = "markdown"


class AppriseAsset:
    """Settings that all services share."""

    http_redirects = True

    def __init__(self, **settings: Any) -> None:
        self.__dict__.update(settings)


class _Service:
    body_maxlen = 32_768

    def __init__(self, url: str) -> None:
        self.url = url

    def send(self, title: str, body: str) -> bool:
        document = json.dumps({"title": title, "message": body, "type": "info"}).encode()
        request = urllib.request.Request(
            self.url.replace("json://", "http://"), document, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=4) as answer:
                return 200 <= int(answer.status) < 300
        except OSError:
            return False


class Apprise:
    """Services, told all at once."""

    def __init__(self, asset: AppriseAsset | None = None) -> None:
        self.asset, self._services = asset, list[_Service]()

    def add(self, url: str) -> bool:
        if not url.startswith("json://"):
            return False
        self._services.append(_Service(url))
        return True

    def notify(self, body: str, title: str = "", body_format: str | None = None) -> bool:
        told = [one.send(title, body) for one in self._services]
        return all(told)

    def __iter__(self) -> Iterator[_Service]:
        return iter(self._services)


def module() -> ModuleType:
    """As ``import apprise`` gives it."""
    made = ModuleType("apprise")
    made.__dict__.update(Apprise=Apprise, AppriseAsset=AppriseAsset, NotifyFormat=NotifyFormat)
    return made
