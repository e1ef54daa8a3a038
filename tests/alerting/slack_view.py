"""Reads a message as Slack would: every text in it, a picture in plain characters, and a page that looks
like a channel.

``python -m tests.alerting.slack_view FOLDER`` writes the golden messages as two pages, ``light.html`` and
``dark.html``, to be looked at in a browser.
"""

from __future__ import annotations

import html
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eventwatch.model.alert import Message

TAG = re.compile(r"<[^>]*>")
ACTIVE = re.compile(r"<!subteam\^S[A-Z0-9]{8,20}>|<https://[^<>|\s]+\|[^<>|]*>")
_LINK = re.compile(r"<(https://[^|>]+)\|([^>]*)>")
_GROUP = re.compile(r"<!subteam\^(\w+)>")
_CODE = re.compile(r"`([^`\n]+)`")
_BOLD = re.compile(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])")


def blocks(message: Message) -> list[dict[str, Any]]:
    """The blocks, parsed."""
    made: list[dict[str, Any]] = json.loads(message.blocks)
    return made


def objects(message: Message) -> list[dict[str, Any]]:
    """Every text object of the blocks, those of buttons too."""
    found = []
    for block in blocks(message):
        if "text" in block:
            found.append(block["text"])
        elements = block.get("elements", ())
        found.extend(e["text"] if e["type"] == "button" else e for e in elements)
    return found


def assert_inert(message: Message) -> None:
    """Nothing but our own mention and https links is active, in any of the forms."""
    for each in objects(message):
        if each["type"] == "plain_text":
            assert each["emoji"] is False
            assert not set(each["text"]) & set("<>&")
            continue
        assert each["verbatim"] is True
        assert_mrkdwn_inert(each["text"])
    assert_mrkdwn_inert(message.text)
    for line in message.plain.split("\n"):
        assert line.isprintable()


def assert_mrkdwn_inert(text: str) -> None:
    """Nothing in it mentions, links or opens a code span but what we wrote."""
    for tag in TAG.findall(text):
        assert ACTIVE.fullmatch(tag), tag
    rest = TAG.sub("", text)
    assert "<" not in rest
    assert ">" not in rest
    assert not re.search(r"&(?!amp;|lt;|gt;)", text)
    for line in text.split("\n"):
        assert line.isprintable()
        assert line.count("`") % 2 == 0


def picture(message: Message) -> str:
    """What a reader sees, roughly: for golden files and for looking at."""
    lines = [f"notification: {_shown(message.text)}", "-" * 78]
    for block in blocks(message):
        match block["type"]:
            case "header":
                lines.append(f"## {block['text']['text']}")
            case "section":
                lines.append(_shown(block["text"]["text"]))
            case "divider":
                lines.append("- - -")
            case "actions":
                lines.append(" ".join(f"[{e['text']['text']}]" for e in block["elements"]))
            case _:
                for element in block["elements"]:
                    lines.extend(f"    {_shown(t)}" for t in element["text"].split("\n"))
        lines.append("")
    return "\n".join(lines)


def page(messages: Mapping[str, Message], *, dark: bool, width: int = 720) -> str:
    """Messages one below the other, as a channel shows them."""
    posts = "".join(_post(name, message) for name, message in messages.items())
    theme = "dark" if dark else "light"
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><style>{_STYLE}</style></head>'
        f'<body class="{theme}"><main style="width:{width}px">{posts}</main></body></html>'
    )


def _post(name: str, message: Message) -> str:
    body = _signs("".join(_block(block) for block in blocks(message)))
    return (
        f'<div class="label">{html.escape(name)}</div>'
        '<article><div class="face">ew</div><div class="post">'
        '<div class="who"><b>eventwatch</b> <span class="app">APP</span> <small>3:05 PM</small></div>'
        f"{body}</div></article>"
    )


def _block(block: dict[str, Any]) -> str:
    match block["type"]:
        case "header":
            return f"<h3>{html.escape(block['text']['text'])}</h3>"
        case "section":
            return f"<p>{_mrkdwn(block['text']['text'])}</p>"
        case "divider":
            return "<hr>"
        case "actions":
            buttons = (
                f"<button>{html.escape(e['text']['text'])}</button>" for e in block["elements"]
            )
            return f'<div class="actions">{"".join(buttons)}</div>'
    return "".join(f'<p class="context">{_mrkdwn(e["text"])}</p>' for e in block["elements"])


def _mrkdwn(text: str) -> str:
    """As HTML. The text is escaped already, with the same three entities."""
    kept: list[str] = []

    def keep(made: str) -> str:
        kept.append(made)
        return f"\0{len(kept) - 1}\0"

    text = _CODE.sub(lambda m: keep(f"<code>{m[1]}</code>"), text)
    text = _LINK.sub(lambda m: keep(f'<a href="{m[1]}">{m[2]}</a>'), text)
    text = _GROUP.sub(lambda m: keep('<span class="group">@growth-oncall</span>'), text)
    text = _BOLD.sub(r"<b>\1</b>", text).replace("\n", "<br>")
    return re.sub(r"\0(\d+)\0", lambda m: kept[int(m[1])], text)


def _signs(made: str) -> str:
    """Signs drawn, since a machine may have no font for them."""
    for sign, (name, inside) in _SIGNS.items():
        made = made.replace(sign, f'<i class="{name}">{inside}</i>')
    return made


def _shown(text: str) -> str:
    text = _LINK.sub(r"[\2](\1)", text)
    text = _GROUP.sub(r"@group-\1", text)
    return html.unescape(text)


_SIGNS = {
    "🔴": ("dot red", ""),
    "🟠": ("dot orange", ""),
    "🔵": ("dot blue", ""),
    "✅": ("dot green", "✓"),
    "👀": ("eyes", "◕◕"),
    "🔺": ("up", "▲"),
    "➕": ("more", "+"),
    "➖": ("more", "−"),
    "⏰": ("up", "◷"),
    "📣": ("up", "»"),
    "🔁": ("up", "↻"),
    "📝": ("more", "✎"),
    "🔕": ("more", "⊘"),
    "🔔": ("more", "♪"),
}
_STYLE = """
body { margin: 0; font: 15px/1.46 Lato, "Open Sans", "Noto Sans", "DejaVu Sans", sans-serif; }
body.light { background: #fff; color: #1d1c1d; --grey: #616061; --line: #ddd; --code: #c01343;
  --soft: #f7f7f8; --link: #1264a3; --mark: #f5e9c8; --group: #8a5a00; }
body.dark { background: #1a1d21; color: #d1d2d3; --grey: #ababad; --line: #35373b; --code: #e8912d;
  --soft: #222529; --link: #1d9bd1; --mark: #4a3d12; --group: #f2c744; }
main { padding: 2px 20px 20px; box-sizing: border-box; }
.label { color: var(--grey); font-size: 11px; text-transform: uppercase; letter-spacing: .06em;
  border-top: 1px dashed var(--line); margin-top: 16px; padding-top: 4px; }
.label:first-child { border: 0; }
article { display: flex; gap: 9px; margin: 8px 0 0; }
.face { flex: none; width: 36px; height: 36px; border-radius: 6px; background: #12508f; color: #fff;
  font-weight: 700; display: grid; place-items: center; }
.post { min-width: 0; overflow-wrap: anywhere; }
.who { line-height: 1.3; } .who small { color: var(--grey); font-size: 12px; }
.app { background: var(--line); color: var(--grey); font-size: 10px; padding: 1px 3px; }
h3 { font-size: 18px; line-height: 1.33; margin: 8px 0 6px; }
p { margin: 4px 0 8px; }
p.context { color: var(--grey); font-size: 12px; line-height: 1.5; margin: 4px 0 6px; }
code { font: 12px/1.5 "DejaVu Sans Mono", Menlo, monospace; color: var(--code);
  background: var(--soft); border: 1px solid var(--line); border-radius: 3px; padding: 1px 3px; }
a { color: var(--link); text-decoration: none; }
.group { background: var(--mark); color: var(--group); border-radius: 3px; padding: 0 2px; }
hr { border: 0; border-top: 1px solid var(--line); margin: 10px 0; }
.actions { display: flex; flex-wrap: wrap; gap: 8px; margin: 6px 0 8px; }
button { font: 700 13px/1 inherit; color: inherit; background: transparent; padding: 7px 12px;
  border: 1px solid var(--grey); border-radius: 4px; white-space: nowrap; }
i { font-style: normal; font-weight: 700; } .up { color: #d1443c; } .more { color: var(--grey); }
.eyes { letter-spacing: -1px; }
.dot { display: inline-grid; place-items: center; width: .9em; height: .9em; border-radius: 50%;
  vertical-align: -.08em; color: #fff; font-size: .95em; line-height: 1; }
.red { background: #dd2e44; } .orange { background: #f4900c; } .blue { background: #2f80ed; }
.green { background: #3c9a3f; border-radius: 3px; font-size: .8em; }
"""


def main(folder: Path) -> None:
    """Writes both pages of the golden messages."""
    messages = {}
    for file in sorted((Path(__file__).parent / "golden").glob("*.json")):
        made = json.loads(file.read_text(encoding="utf-8"))
        text = json.dumps(made["blocks"])
        messages[file.stem] = Message(made["text"], text, "\n".join(made["plain"]))
    for dark, name in ((False, "light.html"), (True, "dark.html")):
        (folder / name).write_text(page(messages, dark=dark), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
