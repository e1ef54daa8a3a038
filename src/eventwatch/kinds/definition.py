"""Check definitions: what users write in checks/*.yaml, and which of them rules an event type.

Definitions of one kind are layered: the built-in defaults, then every definition that matches, from
the least to the most specific, each overriding only what it sets. So ``checks/defaults.yaml`` moves
the default for everything and ``events: user_followed_*`` changes one thing for a few event types.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from eventwatch.model.contract import Catalog, Contract, Tier
from eventwatch.model.durations import parse_duration
from eventwatch.model.status import KindName, Severity

Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    Field(json_schema_extra={"type": "string", "examples": ["15m", "2h", "1d"]}),
]
"""``15m``, ``2h``, ``1d12h``; a bare number is refused."""

Globs = Annotated[
    tuple[str, ...],
    BeforeValidator(
        # Strict validation, as of files, takes no list for a tuple once a function came before it.
        lambda value: (
            (value,)
            if isinstance(value, str)
            else (tuple(value) if isinstance(value, list) else value)
        )
    ),
    Field(min_length=1),
]
"""One shell-style pattern or a list of them, matched case-sensitively against the whole name."""


class Check(BaseModel):
    """What every definition may say. Each field a user leaves out is inherited from the layer below."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    kind: KindName
    name: str = Field("", description="A name for people; shown beside the file and line.")
    events: Globs = Field(("*",), description="Event types this definition rules, as globs.")
    exposures: Globs = Field(("*",), description="Exposures this definition rules, as globs.")
    teams: Globs = Field(("*",), description="Owning teams whose event types it rules, as globs.")
    enabled: bool = Field(True, description="false switches the kind off for what it rules.")
    severity: Severity | None = Field(
        None, description="Overrides the severity that follows from the contract's tier."
    )
    hold: Duration = Field(
        timedelta(0), alias="for", description="How long a failure must last before it is told."
    )
    keep: Duration = Field(
        timedelta(0), description="How long it must be good again before it is called resolved."
    )
    source: str = Field("", exclude=True, repr=False, json_schema_extra={"x-internal": True})
    """``checks/growth.yaml:3``; set by the parser, never by users."""

    def rules_everything(self) -> bool:
        """Whether it is a default: no restriction to some event types or teams."""
        return self.events == ("*",) and self.teams == ("*",)


C = TypeVar("C", bound=Check)


def tier_severity(contract: Contract | None) -> Severity:
    """The severity that follows from the contract's tier; warning for what nobody declared."""
    if contract is None:
        return Severity.WARNING
    return {
        Tier.CRITICAL: Severity.CRITICAL,
        Tier.STANDARD: Severity.WARNING,
        Tier.BEST_EFFORT: Severity.INFO,
    }[contract.tier]


@dataclass(frozen=True)
class Rules(Generic[C]):
    """The definitions of one kind for one exposure, ready to be asked."""

    defaults: C
    """The kind's built-in defaults."""
    definitions: tuple[C, ...]
    """Those whose ``exposures`` match, in the order of file and line."""
    catalog: Catalog

    @cached_property
    def _layers(self) -> tuple[C, ...]:
        return tuple(sorted(self.definitions, key=_specificity))

    def for_exposure(self) -> C:
        """What rules the exposure as a whole: definitions that are not restricted to event types."""
        return _stack(self.defaults, [d for d in self._layers if d.rules_everything()])

    def for_event_type(self, event_type: str | None) -> C:
        """What rules one event type; look at ``enabled`` before judging by it."""
        contract = self.catalog.of(event_type)
        team = "" if contract is None else contract.owner.team
        name = "" if event_type is None else event_type
        return _stack(self.defaults, [d for d in self._layers if _matches(d, name, team)])

    def source_of(self, event_type: str, field: str) -> str:
        """Where a field was set for an event type, ``checks/growth.yaml:3``; empty: nowhere."""
        contract = self.catalog.of(event_type)
        team = "" if contract is None else contract.owner.team
        setters = [
            d for d in self._layers if field in d.model_fields_set and _matches(d, event_type, team)
        ]
        return setters[-1].source if setters else ""

    def each(self, event_types: Sequence[str | None]) -> Iterator[tuple[str | None, C]]:
        """``for_event_type`` of many, sharing equal stacks."""
        made: dict[tuple[int, ...], C] = {}
        for event_type in event_types:
            contract = self.catalog.of(event_type)
            team = "" if contract is None else contract.owner.team
            name = "" if event_type is None else event_type
            hit = tuple(i for i, d in enumerate(self._layers) if _matches(d, name, team))
            if hit not in made:
                made[hit] = _stack(self.defaults, [self._layers[i] for i in hit])
            yield event_type, made[hit]


def _matches(definition: Check, event_type: str, team: str) -> bool:
    return _named(definition.events, event_type) and _named(definition.teams, team)


@lru_cache(maxsize=1 << 15)
def _named(globs: tuple[str, ...], name: str) -> bool:
    """Whether one of the globs matches; kept, since every cycle asks it of every event type."""
    return any(fnmatchcase(name, g) for g in globs)


def _specificity(definition: Check) -> tuple[int, int]:
    """Fewest literal characters first; an exact name is the most specific of all."""

    def weight(globs: tuple[str, ...]) -> int:
        return min(
            10_000 if not any(c in g for c in "*?[") else sum(c not in "*?[]" for c in g)
            for g in globs
        )

    return weight(definition.events), weight(definition.teams)


def _stack(defaults: C, layers: Sequence[C]) -> C:
    changes: dict[str, Any] = {}
    for layer in layers:
        for name in layer.model_fields_set:
            changes[name] = getattr(layer, name)
        changes["source"] = layer.source
    return defaults.model_copy(update=changes) if changes else defaults


def rules_for(
    defaults: C, definitions: Sequence[Check], exposure: str, catalog: Catalog
) -> Rules[C]:
    """The rules of the kind of ``defaults`` for one exposure."""
    kind = type(defaults)
    return Rules(
        defaults,
        tuple(
            d
            for d in definitions
            if isinstance(d, kind) and any(fnmatchcase(exposure, g) for g in d.exposures)
        ),
        catalog,
    )


def severity_of(check: Check, contract: Contract | None) -> Severity:
    """Most specific wins: definition, contract tier, warning."""
    return tier_severity(contract) if check.severity is None else check.severity
