"""Where a pass stands at the end of a day, made small: all that later buckets and verdicts rest on.

A pass knows every bucket it has seen; a later one reaches back two days of levels, two weeks of counts
where a series is young (those are in the panel), and what was said while an alarm lasted. The rest is
left out. Bucket numbers in here count from the start of the whole panel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.engine import Pass
from eventwatch.detect.panel import Panel
from eventwatch.detect.said import Said, Unsaid
from eventwatch.detect.season import YOUNG_DAYS
from eventwatch.detect.settings import DAY, DetectSettings, Grain
from eventwatch.detect.stretch import BACK_DAYS

_ROWS = ("sum_x", "sum_s", "sum_d", "sum_h", "sum_a", "levels", "doubts", "echoes")
"""One row more than there are buckets."""
_OF_PANEL = ("panel", "settings", "grain", "told", "windows", "total", "series")
_OF_BUCKETS = ("seen", "x", "teaches", "birth", "onset", "out")
"""Made from the panel anew, or kept apart."""
_AT = ("reset", "since", "until", "accepted", "midnight")
"""State that names a bucket by its number; -1: none."""
SPARK = 48
"""Buckets of a small picture."""

Arrays = Mapping[str, NDArray[Any]]


def near_buckets(grain: Grain) -> int:
    """How many buckets back a step looks at what was said, or a verdict at what was expected."""
    back = max(BACK_DAYS) * grain.per_day + max(grain.windows)
    week = 7 * grain.per_day
    least = max(back, week, grain.accept, SPARK if grain.seconds < DAY else 21)
    return -(-least // grain.per_day) * grain.per_day + 2 * grain.per_day


class UnfitError(Exception):
    """A state that is not one of this panel by this version of the detector."""


@dataclass(frozen=True)
class Standing:
    """A pass at the end of a day. Never changed after it was made."""

    stop: int
    """Buckets that were scored."""
    seconds: int
    """Width of a bucket."""
    arrays: Arrays

    @staticmethod
    def of(made: Pass, cut: int, stop: int, said: Said | Unsaid) -> Standing:
        """Of a pass over a panel whose first ``cut`` buckets were left out, and that has just scored
        the bucket before ``stop``."""
        local = stop - cut
        first = max(local - near_buckets(made.grain), 0)
        arrays: dict[str, NDArray[Any]] = {}
        for path, owner, name in _leaves(made):
            value = np.array(getattr(owner, name))
            arrays["state/" + path] = value + cut if name in _AT else value
        for name in _ROWS:
            arrays["rows/" + name] = getattr(made, name)[first : local + 1].copy()
        arrays["birth"] = made.birth + cut
        arrays |= said.kept(stop, near_buckets(made.grain), made.accepted + cut)
        return Standing(stop, made.grain.seconds, arrays)

    def first_bucket(self, grain: Grain) -> int:
        """The first bucket of the panel that going on needs: the end of a day."""
        back = near_buckets(grain)
        # Those that are young, or may be born yet: their profile is made anew from two weeks of counts.
        if (self.arrays["birth"] >= self.stop - (YOUNG_DAYS + 1) * grain.per_day).any():
            back = max(back, (YOUNG_DAYS + 1) * grain.per_day)
        return max(self.stop - back, 0) // grain.per_day * grain.per_day

    def onto(self, panel: Panel, cut: int, settings: DetectSettings) -> Pass:
        """A pass over a panel whose first ``cut`` buckets were left out, standing here. Raises
        UnfitError."""
        try:
            return self._onto(panel, cut, settings)
        except (KeyError, ValueError, IndexError) as error:
            raise UnfitError(str(error)) from None

    def _onto(self, panel: Panel, cut: int, settings: DetectSettings) -> Pass:
        made = Pass(panel, settings)
        local = self.stop - cut
        known = {path for path in self.arrays if path.startswith("state/")}
        for path, owner, name in _leaves(made):
            value = self.arrays["state/" + path]
            known.discard("state/" + path)
            if np.shape(getattr(owner, name)) != value.shape:
                raise KeyError(path)
            if not value.ndim:
                setattr(owner, name, value.item())
                continue
            value = value - cut if name in _AT else value.copy()
            if name == "reset":
                # Born later: the state could not know when.
                value = np.where(self.arrays["birth"] >= self.stop, made.reset, value)
            setattr(owner, name, value)
        if known:
            raise KeyError(min(known))
        for name in _ROWS:
            rows = self.arrays["rows/" + name]
            getattr(made, name)[local + 1 - len(rows) : local + 1] = rows
        birth = self.arrays["birth"]
        made.birth = np.where(birth < self.stop, birth - cut, made.birth)
        alarm = Said.alarms(self.arrays, self.stop)
        made.out.alarm[:local] = alarm[cut:]
        season = self.arrays["near/season"]
        made.out.season[local - len(season) : local] = season
        made.out = replace(made.out, accepted=made.accepted)
        return made


def _leaves(made: Pass) -> Iterator[tuple[str, Any, str]]:
    """Path, owner and name of each number and array of the state."""
    for name in vars(made):
        if name not in (*_OF_PANEL, *_OF_BUCKETS, *_ROWS):
            yield from _below(made, name, name)


def _below(owner: Any, name: str, path: str) -> Iterator[tuple[str, Any, str]]:
    value = getattr(owner, name)
    if isinstance(value, np.ndarray | np.generic | int | float):
        yield path, owner, name
    elif hasattr(value, "__dict__"):
        for inner in vars(value):
            yield from _below(value, inner, f"{path}.{inner}")
    else:
        raise TypeError(f"{path}: a state is made of numbers and arrays, not of {type(value)}")
