"""One sentence of a cause for people. Names are put in as they are: renderers escape."""

from __future__ import annotations

from collections.abc import Sequence

from eventwatch.alerting.causes_cut import Cutting, only_value
from eventwatch.alerting.causes_evidence import Evidence, Handover
from eventwatch.alerting.causes_rename import Rename
from eventwatch.model.counting import counted
from eventwatch.model.measurement import NULL_VALUE, OTHER

MOST_NAMED = 3
_VOWELS = frozenset("aeiou")


def listed(values: Sequence[str]) -> str:
    """``android``, ``5.1.0 and 5.1.1``, ``a, b, c and 4 more``."""
    names = [{NULL_VALUE: "null", OTHER: "other values", "": "(empty)"}.get(v, v) for v in values]
    if len(names) > MOST_NAMED:
        return f"{', '.join(names[:MOST_NAMED])} and {len(names) - MOST_NAMED} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def plural(dimension: str) -> str:
    """``platforms``, ``app versions``, ``countries``."""
    word = dimension.replace("_", " ")
    if word.endswith("y") and word[-2:-1] not in _VOWELS:
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"


def percent(change: float) -> str:
    """``−96 %``, ``+140 %``."""
    return f"{'−' if change < 0 else '+'}{abs(change) * 100:.0f} %"


def of_cut(cutting: Cutting, others_known: bool) -> str:
    """``android: 41 event types at −96 %, other platforms normal``."""
    types = f"{counted(len(cutting.types), 'event type')} at " if cutting.types else ""
    text = f"{listed(cutting.values)}: {types}{percent(cutting.change)}"
    return f"{text}, other {plural(cutting.dimension)} normal" if others_known else text


def of_rename(pair: Rename, evidence: Evidence) -> str:
    """What shows that it is one."""
    moved = evidence.moved
    dimensions = [
        plural(d) for d in evidence.dimensions if (pair.new, d) in moved and (pair.old, d) in moved
    ]
    alike = ["name", "time"]
    if dimensions:
        alike = ["name", "time", "rows", *dimensions]
    return (
        f"{pair.old} fell as {pair.new} began, which no contract declares: perhaps its new name "
        f"({', '.join(alike[:-1])} and {alike[-1]} agree)"
    )


def of_handover(new: str, found: Handover, team: str) -> str:
    """Why a new name is taken for that of a declared event type before the latter is told by itself."""
    whose = f" of team {team}" if team else ""
    came = counted(round(found.came), "row")
    return (
        f"{new}, which no contract declares, looks like {found.old}{whose}: {came} of it came, and of "
        f"{found.old} {found.observed:,.0f} where {found.expected:,.0f} were usual: perhaps its new name"
    )


def of_type(event_type: str, evidence: Evidence, *, down: bool) -> str:
    """Which values explain the movement of one event type; empty: none does, or it is not known."""
    best = only_value(evidence, event_type, down=down)
    if best is None:
        return ""
    return f"{listed(best.values)}: {percent(best.change)}, other {plural(best.dimension)} normal"


def of_exposure(summary: str, types: int, cutting: Cutting | None) -> str:
    """What happened to the table, and how much hangs on it."""
    text = summary
    if cutting is not None:
        text += f"; {of_cut(cutting, True)}"
    if types:
        text += f"; it explains {counted(types, 'event type')}"
    return text
