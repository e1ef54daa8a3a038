"""Which of the names that are known a name looks like.

Three questions that must not be mixed up. ``nearest`` is generous: names a reader may have meant.
``is_misspelling`` is strict, because a message that calls ``user_unfollowed_user`` a typing error of
``user_followed_user`` would be wrong, although they differ by two letters only. ``kindred`` goes by whole
words, since a new name keeps the words that matter: where half of all names begin with ``buyer``, sharing
that says nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import takewhile
from math import log

_LONGEST = 200
"""Characters compared. A longer name is nobody's typing error, and comparing is quadratic."""
_LEAST_LIKENESS = 0.6
_LEAST_SHARED = 0.45
"""Of the weight of all words of two names, what a new name shares with the old one."""
_STEM, _ENDING = 4, 3
"""Letters that two forms of a word begin with at least, and that each may end in beside them."""
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[^\W\d_]+|\d+")
_BETWEEN = re.compile(r"[\s_-]+")
_PREFIXES = frozenset(
    (
        *("ab", "ad", "anti", "auto", "be", "co", "con", "de", "dis", "down", "en", "ex", "fore"),
        *("im", "in", "inter", "mid", "mis", "non", "off", "on", "out", "over", "post", "pre"),
        *("pro", "re", "self", "sub", "un", "under", "up"),
    )
)
"""Beginnings that make another word of a word, so that they are never a slip of the fingers."""


def nearest(name: str, known: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """At most ``limit`` known names that look like ``name``, the likest first; never ``name``."""
    words = _words(name)
    whole = "_".join(words)
    if not whole or limit < 1:
        return ()
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(whole)
    best: list[tuple[float, str]] = []
    for candidate in sorted(set(known) - {name}):
        other = _words(candidate)
        shared = len(set(words) & set(other)) * 2 / max(len(set(words)) + len(set(other)), 1)
        floor = best[-1][0] if len(best) == limit else -_LEAST_LIKENESS
        # The same words in another order count, but less than the same letters in their order.
        likeness = 0.9 * shared
        matcher.set_seq1("_".join(other))
        if matcher.real_quick_ratio() >= -floor and matcher.quick_ratio() >= -floor:
            likeness = max(likeness, matcher.ratio())
        if likeness >= _LEAST_LIKENESS:
            best = sorted([*best, (-likeness, candidate)])[:limit]
    return tuple(candidate for _, candidate in best)


def is_misspelling(name: str, known: Iterable[str]) -> str | None:
    """The known name that ``name`` is a typing error of; None when it is not clearly one.

    Said of a difference in case, separators, blanks or invisible characters alone; of one or two
    letters (two in long words only) where the word that came out is not a word of other known names
    and not made by a prefix; never of a difference in digits: ``v2`` is not a slip of ``v1``.
    """
    candidates = sorted(set(known))
    words = _words(name)
    if not words or name in candidates or len(name) > _LONGEST:
        return None
    compact = "".join(words)
    found: list[tuple[int, str]] = []
    vocabulary: set[str] | None = None
    for candidate in candidates:
        other = _words(candidate)
        right = "".join(other)
        if right == compact:
            found.append((0, candidate))
        elif abs(len(right) - len(compact)) <= 2 and len(other) == len(words):
            differing = [(a, b) for a, b in zip(words, other, strict=True) if a != b]
            if len(differing) != 1:
                continue
            edits = _slip(*differing[0])
            if edits is None or len(compact) < 5:
                continue
            if vocabulary is None:
                vocabulary = {word for each in candidates for word in _words(each)}
            if differing[0][0] not in vocabulary:
                found.append((edits, candidate))
    return min(found)[1] if found else None


def kindred(
    name: str, known: Iterable[str], among: Sequence[str] = (), limit: int = 3
) -> tuple[str, ...]:
    """At most ``limit`` of the ``known`` names that ``name`` may be another name of, the likest first.

    By the share of words in common, forms of one word counted as the same (``viewed``, ``view``). A word
    weighs log(1 + N/n), n being how many of the N names of ``among`` (``known`` where that is empty; each
    once) have it. A misspelling, and what differs in separators only, is the likest.
    """
    candidates = sorted(set(known) - {name})
    names = tuple(among) or tuple(candidates)
    slip = is_misspelling(name, candidates)
    found: list[tuple[float, str]] = [] if slip is None else [(-2.0, slip)]
    mine = set(_words(name))
    holders = _holders(names)

    def weight(word: str) -> float:
        return log(1.0 + len(names) / max(holders.get(word, 0), 1))

    for candidate in candidates:
        theirs = set(_words(candidate))
        pairs = [(a, b) for a in mine for b in theirs if _forms(a, b)]
        if candidate == slip or not pairs:
            continue
        shared = {word: min(weight(a), weight(b)) for a, b in pairs for word in (a, b)}
        both = [word for side in (mine, theirs) for word in side]
        whole = sum(shared.get(word, weight(word)) for word in both)
        share = sum(shared.get(word, 0.0) for word in both) / whole
        if share >= _LEAST_SHARED:
            found.append((-share, candidate))
    return tuple(candidate for _, candidate in sorted(found)[:limit])


@lru_cache(maxsize=16)
def _holders(names: tuple[str, ...]) -> Counter[str]:
    """Word → how many of the names have it."""
    return Counter(word for name in names for word in set(_words(name)))


@lru_cache(maxsize=65536)
def _forms(one: str, other: str) -> bool:
    """Whether two words are forms of one: ``follow`` and ``followed``, ``delivery`` and ``delivered``."""
    if one == other:
        return True
    stem = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    return stem >= _STEM and max(len(one), len(other)) - stem <= _ENDING


def _slip(wrong: str, right: str) -> int | None:
    """How many edits turn a word into another when that is likely a slip; None when it is not."""
    if any(character.isdigit() for character in wrong + right) or min(len(wrong), len(right)) < 3:
        return None
    longer, shorter = (wrong, right) if len(wrong) > len(right) else (right, wrong)
    if longer.endswith(shorter) and longer[: len(longer) - len(shorter)] in _PREFIXES:
        return None
    edits = _distance(wrong, right)
    return edits if edits <= (2 if len(right) >= 8 else 1) else None


def _distance(a: str, b: str) -> int:
    """Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        following = [i]
        for j, y in enumerate(b, 1):
            cost = min(row[j] + 1, following[j - 1] + 1, row[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            following.append(cost)
        before, row = row, following
    return row[-1]


@lru_cache(maxsize=16384)
def _words(name: str) -> tuple[str, ...]:
    """The words of a name in any of the usual spellings, folded, without what cannot be seen."""
    text = unicodedata.normalize("NFKC", name[:_LONGEST])
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cs"))
    return tuple(word.casefold() for word in _WORD.findall(_HUMP.sub("_", text)))


def team_key(text: str) -> str:
    """The key under which a team is found: ``TEAM_DATA_PLATFORM`` without its enum's name, the
    contract's ``data_platform`` and the config's ``data-platform`` are one team."""
    return "-".join(word for word in _BETWEEN.split(text.lower()) if word)
