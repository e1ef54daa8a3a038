"""How large a message may be: what Slack documents, and the total that it only enforces."""

from __future__ import annotations

from typing import Any


def size_error(body: dict[str, Any]) -> str:
    """The code of the size rule that a message breaks; empty: none."""
    text, blocks = body.get("text") or "", body.get("blocks")
    if len(text) > 40_000:
        return "msg_too_long"
    if not blocks:
        return "" if text.strip() else "no_text"
    if not isinstance(blocks, list) or len(blocks) > 50:
        return "invalid_blocks"
    total = 0
    for block in blocks:
        texts = _texts(block)
        if texts is None:
            return "invalid_blocks"
        total += sum(map(len, texts))
    return "msg_blocks_too_long" if total > 11_300 else ""


def _texts(block: dict[str, Any]) -> list[str] | None:
    """Every text of a block; None where it breaks a rule."""
    kind = block.get("type")
    if kind == "divider":
        return []
    if kind == "context":
        elements = block.get("elements") or []
        texts = [e.get("text") for e in elements]
        fine = 1 <= len(elements) <= 10 and all(_fits(e, 3_000) for e in elements)
        return [str(t) for t in texts] if fine else None
    if kind not in ("section", "header"):
        return None
    found = [block["text"]] if "text" in block else []
    fields = block.get("fields") or []
    if kind == "header" and (not found or found[0].get("type") != "plain_text"):
        return None
    limit = 150 if kind == "header" else 3_000
    if not all(_fits(t, limit) for t in found) or not (found or fields):
        return None
    if len(fields) > 10 or not all(_fits(t, 2_000) for t in fields):
        return None
    return [str(t["text"]) for t in (*found, *fields)]


def _fits(text: Any, limit: int) -> bool:
    value = text.get("text") if isinstance(text, dict) else None
    return isinstance(value, str) and 1 <= len(value) <= limit
