"""How large a message may be: what Slack documents, and the total that it only enforces."""

from __future__ import annotations

from typing import Any

LARGEST_TOTAL = 11_300
"""Characters over all blocks: undocumented, the least that was seen to be refused."""


def size_error(body: dict[str, Any]) -> str:
    """The code of the size rule that a message breaks; empty: none."""
    text, blocks = body.get("text") or "", body.get("blocks")
    if len(text) > 40_000:
        return "msg_too_long"
    if not blocks:
        return "" if text.strip() else "no_text"
    if not isinstance(blocks, list) or len(blocks) > 50:
        return "invalid_blocks"
    ids = [b["block_id"] for b in blocks if "block_id" in b]
    if len(set(ids)) != len(ids) or not all(1 <= len(i) <= 255 for i in ids):
        return "invalid_blocks"
    total = 0
    for block in blocks:
        texts = _texts(block)
        if texts is None:
            return "invalid_blocks"
        total += sum(map(len, texts))
    return "msg_blocks_too_long" if total > LARGEST_TOTAL else ""


def _texts(block: dict[str, Any]) -> list[str] | None:
    """Every text of a block; None where it breaks a rule."""
    match block.get("type"):
        case "divider":
            return []
        case "context":
            return _context(block)
        case "actions":
            return _actions(block)
        case "image":
            alt = block.get("alt_text")
            fine = isinstance(alt, str) and 1 <= len(alt) <= 2_000
            return [alt] if isinstance(alt, str) and fine else None
        case "section" | "header" as kind:
            return _section(block, kind)
    return None


def _context(block: dict[str, Any]) -> list[str] | None:
    elements = block.get("elements") or []
    fine = 1 <= len(elements) <= 10 and all(_fits(e, 3_000) for e in elements)
    return [str(e.get("text")) for e in elements] if fine else None


def _section(block: dict[str, Any], kind: str) -> list[str] | None:
    found = [block["text"]] if "text" in block else []
    fields = block.get("fields") or []
    if kind == "header" and (not found or found[0].get("type") != "plain_text"):
        return None
    limit = 150 if kind == "header" else 3_000
    if not all(_fits(t, limit) for t in found) or not (found or fields):
        return None
    if len(fields) > 10 or not all(_fits(t, 2_000) for t in fields):
        return None
    accessory = block.get("accessory")
    if accessory is not None and not _is_button(accessory):
        return None
    return [str(t["text"]) for t in (*found, *fields)]


def _actions(block: dict[str, Any]) -> list[str] | None:
    elements = block.get("elements") or []
    ids = [e.get("action_id") for e in elements]
    fine = 1 <= len(elements) <= 25 and all(map(_is_button, elements))
    return (
        [str(e["text"]["text"]) for e in elements] if fine and len(set(ids)) == len(ids) else None
    )


def _is_button(element: dict[str, Any]) -> bool:
    return (
        element.get("type") == "button"
        and element.get("text", {}).get("type") == "plain_text"
        and _fits(element["text"], 75)
        and len(element.get("value", "")) <= 2_000
        and len(element.get("action_id", "")) <= 255
        and len(element.get("url", "")) <= 3_000
        and element.get("style", "primary") in ("primary", "danger")
    )


def _fits(text: Any, limit: int) -> bool:
    value = text.get("text") if isinstance(text, dict) else None
    return isinstance(value, str) and 1 <= len(value) <= limit
