"""The front door: config.yaml and checks/ to settings and definitions, or every fault at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from eventwatch.config.crosscheck import cross_check as _cross_check
from eventwatch.config.crosscheck import cross_warnings as _cross_warnings
from eventwatch.config.definitions import read_checks
from eventwatch.config.faults import place, without_echoes
from eventwatch.config.interpolate import interpolate
from eventwatch.config.sections import read_sections
from eventwatch.config.tree import Key, Tree, dotted, read_yaml
from eventwatch.kinds.definition import Check
from eventwatch.model.contract import Catalog
from eventwatch.model.errors import ConfigError, Fault, path_text
from eventwatch.model.settings import Settings


@dataclass(frozen=True)
class Loaded:
    """What the files say."""

    settings: Settings
    checks: tuple[Check, ...]
    """In the order of file and line."""
    warnings: tuple[Fault, ...] = ()
    file: str = "config.yaml"
    """As the user named it."""
    lines: Mapping[Key, int] = field(default_factory=dict, repr=False)
    """Of every setting of config.yaml."""
    written: Mapping[Key, str] = field(default_factory=dict, repr=False)
    """Interpolated texts as they stand in the file, with their ``${…}``."""

    def fault(self, key: Key, message: str) -> Fault:
        """A fault at a setting of config.yaml."""
        return Tree(self.file, None, self.lines).fault(key, message)

    def located(self, fault: Fault) -> Fault:
        """The fault with the line of the setting that its key names, where that is known: whoever
        made it may have known only the line of the exposure."""
        lines = {dotted(key): line for key, line in self.lines.items()}
        return replace(fault, line=lines.get(fault.key, fault.line))


def load(path: Path, env: Mapping[str, str]) -> Loaded:
    """Reads everything. Raises ConfigError with every fault of every file, sorted by file and line.

    ``path`` may be a folder that holds a config.yaml. Whatever needs the contracts is left to
    ``cross_check`` and ``cross_warnings``.
    """
    path = path / "config.yaml" if path.is_dir() else path
    shown = path_text(path)
    if not path.exists():
        message = "there is no such file; `eventwatch init` writes one, --config names another"
        raise ConfigError([Fault(shown, None, message)])
    # Not resolved: a config that is linked to from elsewhere means paths beside the link's target
    # only by accident.
    whole = path.absolute()
    tree, unresolved = interpolate(read_yaml(path, shown), env, whole.parent)
    outcome = read_sections(tree, whole)
    faults = [*unresolved, *without_echoes(outcome.faults, unresolved)]
    checks: tuple[Check, ...] = ()
    if outcome.checks is not None:
        checks, wrong = read_checks(outcome.checks, whole.parent)
        faults.extend(wrong)
    if faults or outcome.settings is None:
        raise ConfigError(sorted(set(faults), key=place))
    return Loaded(
        outcome.settings, checks, outcome.warnings, shown, dict(tree.lines), dict(tree.written)
    )


def cross_check(loaded: Loaded, catalog: Catalog) -> tuple[Fault, ...]:
    """What is wrong with config and contracts together: teams and exposures that do not exist."""
    return tuple(sorted(set(_cross_check(loaded, catalog)), key=place))


def cross_warnings(loaded: Loaded, catalog: Catalog) -> tuple[Fault, ...]:
    """What is likely not meant, but stops nothing: patterns that match nothing, unwatched
    dimensions, owners that nobody knows."""
    return tuple(sorted(set(_cross_warnings(loaded, catalog)), key=place))
