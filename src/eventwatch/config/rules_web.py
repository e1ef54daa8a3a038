"""Rules on ``web`` and ``heartbeat_url`` that involve more than one setting."""

from __future__ import annotations

from collections.abc import Iterator

from eventwatch.config.document_web import DEFAULT_LISTEN, WebSection, address_of, is_here
from eventwatch.config.tree import Key, Tree
from eventwatch.model.errors import Fault
from eventwatch.model.settings import Secret, WebSettings

_WEB: Key = ("web",)


def web(tree: Tree) -> Iterator[Fault]:
    """Faults of web as a whole; like other rules it looks at what was written."""
    section = tree.at(_WEB)
    if not isinstance(section, dict):
        return
    try:
        host, _ = address_of(section.get("listen", DEFAULT_LISTEN))
    except (ValueError, TypeError):
        return  # That fault is told by the setting itself.
    if section.get("token") is None and not is_here(host):
        yield tree.fault(
            (*_WEB, "listen"),
            f"{host} can be reached by others, so web.token must be set "
            '(token: "${EVENTWATCH_WEB_TOKEN}"); or listen on 127.0.0.1',
        )


def warnings(tree: Tree) -> Iterator[Fault]:
    """Secrets that stand in the file itself."""
    for key in ((*_WEB, "token"), ("heartbeat_url",)):
        if tree.at(key) and key not in tree.written:
            yield tree.fault(
                key,
                "a secret stands in the file; put it into an environment variable "
                "and write ${NAME}, or into a file and write ${file:PATH}",
            )


def web_of(section: WebSection, tree: Tree) -> WebSettings:
    """The settings of a section that is right in itself."""
    host, port = address_of(section.listen)
    token = None if section.token is None else Secret(section.token.get_secret_value())
    return WebSettings(host, port, token, f"{tree.file}:{tree.line(_WEB)}")
