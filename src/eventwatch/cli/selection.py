"""What ``--exposure``, ``--check``, ``--team`` and ``--event-type`` mean: names or patterns, held
against what there is. A word that matches nothing is a mistake, not an empty answer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase

from eventwatch.model.names import nearest, team_key
from eventwatch.model.status import KindName

_LISTED_BY = {
    "event type": "`eventwatch contracts list` lists those that are declared",
    "declared event type": "`eventwatch contracts list` lists them",
    "team": "`eventwatch contracts owners` lists them",
}
"""Where to look when no name is near."""


class NoMatch(ValueError):  # noqa: N818 - what the user is told, not a failure of ours
    """A word that matches nothing; the message names the nearest that exist."""


def exposures(patterns: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Names of the exposures meant, in the order of the config. Raises NoMatch."""
    return _meant("exposure", patterns, known)


def teams(patterns: Sequence[str], known: Iterable[str]) -> tuple[str, ...]:
    """Keys of the teams meant; ``TEAM_x`` spellings are folded as everywhere. Raises NoMatch."""
    return _meant("team", [team_key(p) for p in patterns], sorted(set(known)))


def kinds(words: Sequence[str]) -> tuple[KindName, ...]:
    """The check kinds meant. Raises NoMatch."""
    return tuple(KindName(k) for k in _meant("check", words, [k.value for k in KindName]))


def unmatched(patterns: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    """Patterns that match none of the names."""
    return tuple(p for p in patterns if not any(fnmatchcase(name, p) for name in known))


def no_match(what: str, pattern: str, known: Iterable[str]) -> NoMatch:
    """What to say of a pattern that matches nothing."""
    names = list(known)
    close = nearest(pattern.strip("*"), names)
    if close:
        hint = "; did you mean " + " or ".join(close) + "?"
    elif names and len(names) <= 20:
        hint = f"; there is {', '.join(sorted(names))}"
    elif what in _LISTED_BY:
        hint = f"; {_LISTED_BY[what]}"
    else:
        hint = ""
    return NoMatch(f"no {what} matches {pattern!r}{hint}")


def _meant(what: str, patterns: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    for pattern in unmatched(patterns, known):
        raise no_match(what, pattern, known)
    return tuple(name for name in known if any(fnmatchcase(name, p) for p in patterns))
