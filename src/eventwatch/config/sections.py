"""config.yaml, section by section: every fault of every section, and the settings if there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from eventwatch.config import document as d
from eventwatch.config import rules, rules_notify, rules_web
from eventwatch.config.document_notify import MaintenanceSection, NotifySection
from eventwatch.config.document_web import HeartbeatUrl, WebSection
from eventwatch.config.faults import unknown_key, validated
from eventwatch.config.fields import EXPOSURE_NAME, StateUrl
from eventwatch.config.records import Sections, settings_of
from eventwatch.config.tree import Key, Tree
from eventwatch.model.errors import Fault
from eventwatch.model.names import team_key
from eventwatch.model.settings import Settings

M = TypeVar("M", bound=BaseModel)
_STATE: TypeAdapter[Any] = TypeAdapter(StateUrl)
_HEARTBEAT: TypeAdapter[Any] = TypeAdapter(HeartbeatUrl)
_TOP = tuple(d.Document.model_fields)
_DEFAULTS = {name: d.Document.model_fields[name].default for name in ("state", "history", "checks")}


@dataclass(frozen=True)
class Outcome:
    """What config.yaml gave."""

    settings: Settings | None
    """None: there are faults."""
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    checks: Path | None
    """The folder of definitions, also where something else is wrong."""


def read_sections(tree: Tree, path: Path) -> Outcome:
    """Checks everything. ``path`` is config.yaml itself, absolute."""
    if not isinstance(tree.value, dict):
        message = (
            "must be a mapping with contracts, exposures and notify; `eventwatch init` writes one"
        )
        return Outcome(None, (tree.fault((), message),), (), None)
    work = _Work(tree, path)
    sections = work.sections()
    checks = work.folder("checks")
    warnings: tuple[Fault, ...] = ()
    if sections is not None:
        warnings = (
            *rules_notify.warnings(tree),
            *rules_web.warnings(tree),
            *rules.warnings(tree, sections),
        )
    if work.faults or sections is None:
        return Outcome(None, tuple(work.faults), warnings, checks)
    return Outcome(settings_of(sections, tree, path), (), warnings, checks)


class _Work:
    def __init__(self, tree: Tree, path: Path) -> None:
        self.tree, self.path = tree, path
        self.top: Mapping[str, Any] = tree.value
        self.faults: list[Fault] = []

    def sections(self) -> Sections | None:
        for name in self.top:
            if name not in _TOP:
                self.faults.append(unknown_key(self.tree, (name,), _TOP))
        contracts = self._section(d.ContractsSection, "contracts")
        notify = self._section(NotifySection, "notify")
        self.faults.extend(rules_notify.notify(self.tree))
        exposures = self._exposures()
        teams = self._teams()
        maintenance = self._maintenance()
        web = None if self.top.get("web") is None else self._checked(WebSection, ("web",))
        self.faults.extend(rules_web.web(self.tree))
        heartbeat = self._heartbeat()
        state = self._state()
        texts = {name: self._text(name) for name in ("history", "checks")}
        if contracts is None or notify is None or None in texts.values() or state is None:
            return None
        return Sections(
            contracts,
            exposures,
            teams,
            notify,
            state,
            texts["history"] or "",
            texts["checks"] or "",
            maintenance,
            web,
            heartbeat,
        )

    def folder(self, name: str) -> Path | None:
        text = self.top.get(name, _DEFAULTS[name])
        return self.path.parent / text if isinstance(text, str) and text.strip() else None

    def _section(self, model: type[M], name: str) -> M | None:
        if self.top.get(name) is None:
            first = (model.__doc__ or "").partition("\n\n")[0].replace("\n", " ").rstrip(".")
            self.faults.append(
                self.tree.fault(
                    (name,) if name in self.top else (),
                    f"{name} is missing: {first}",
                    shown=(name,),
                )
            )
            return None
        return self._checked(model, (name,))

    def _checked(self, model: type[M], key: Key) -> M | None:
        found, faults = validated(model, self.tree, key)
        self.faults.extend(faults)
        return found

    def _exposures(self) -> dict[str, d.ExposureSection]:
        found: dict[str, d.ExposureSection] = {}
        for name in self._names("exposures", required=True):
            key = ("exposures", name)
            if not EXPOSURE_NAME.fullmatch(name):
                message = "an exposure's name is made of letters, digits, _ . and -, 100 at most"
                self.faults.append(self.tree.fault(key, message))
            section = self._checked(d.ExposureSection, key)
            if section is not None:
                found[name] = section
                self.faults.extend(rules.exposure(self.tree, key, section))
        return found

    def _teams(self) -> dict[str, d.TeamSection]:
        found: dict[str, d.TeamSection] = {}
        for name in self._names("teams", required=False):
            key = ("teams", name)
            team = team_key(name)
            if not team or team in found:
                message = f"is the same team as {team!r} above" if team else "must not be empty"
                self.faults.append(self.tree.fault(key, message))
            if self.tree.at(key) is None:
                found[team] = d.TeamSection.model_validate({})
                continue
            section = self._checked(d.TeamSection, key)
            if section is not None:
                found[team] = section
        return found

    def _maintenance(self) -> tuple[MaintenanceSection, ...]:
        key: Key = ("maintenance",)
        value = self.top.get("maintenance")
        if value is None:
            return ()
        most = 200
        if not isinstance(value, list) or len(value) > most:
            message = (
                f"holds more than {most} windows"
                if isinstance(value, list)
                else "must be a list of windows, each beginning with - name"
            )
            self.faults.append(self.tree.fault(key, message))
            return ()
        found = []
        for i in range(len(value)):
            section = self._checked(MaintenanceSection, (*key, i))
            if section is not None:
                found.append(section)
                self.faults.extend(rules_notify.maintenance(self.tree, (*key, i), section))
        return tuple(found)

    def _names(self, name: str, *, required: bool) -> tuple[str, ...]:
        value = self.top.get(name)
        if isinstance(value, dict) and value:
            return tuple(value)
        if value is None and not required:
            return ()
        if value is None or value == {}:
            lacks = "is missing" if value is None else "is empty"
            message = f"{name} {lacks}: {d.Document.model_fields[name].description}".rstrip(".")
        else:
            message = f"must be a mapping of names to {name}"
        at = (name,) if name in self.top else ()
        self.faults.append(self.tree.fault(at, message, shown=(name,)))
        return ()

    def _text(self, name: str) -> str | None:
        value = self.top.get(name, _DEFAULTS[name])
        if isinstance(value, str) and value.strip() and "\0" not in value:
            return value
        self.faults.append(self.tree.fault((name,), "must be the path of a folder"))
        return None

    def _state(self) -> str | None:
        value = self.top.get("state", _DEFAULTS["state"])
        return self._url("state", value, _STATE, "sqlite:///var/state.db")

    def _heartbeat(self) -> str | None:
        value = self.top.get("heartbeat_url")
        if value is None:
            return None
        return self._url("heartbeat_url", value, _HEARTBEAT, "https://hc-ping.com/…")

    def _url(self, name: str, value: Any, kind: TypeAdapter[Any], like: str) -> str | None:
        if not isinstance(value, str):
            self.faults.append(self.tree.fault((name,), f"must be a URL, like {like}"))
            return None
        try:
            url: str = kind.validate_python(value).get_secret_value()
            return url
        except ValidationError as error:
            context = error.errors(include_url=False, include_input=False)[0].get("ctx", {})
            self.faults.append(self.tree.fault((name,), str(context.get("error", "is not a URL"))))
            return None
