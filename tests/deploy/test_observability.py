"""The files that others load: every metric they name exists, and what they promise is in them."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, ClassVar

import pytest
from ruamel.yaml import YAML

from eventwatch.web.metrics import metric_names

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
_METRIC = re.compile(r"\beventwatch_[a-z_]+")
_DURATION = re.compile(r"\d+(ms|[smhdwy])")


def yaml(name: str) -> list[Any]:
    return list(YAML(typ="safe").load_all(DEPLOY / name))


def balanced(expression: str) -> bool:
    closes = {")": "(", "]": "[", "}": "{"}
    waiting: list[str] = []
    for c in re.sub(r'"[^"]*"', "", expression):
        if c in closes.values():
            waiting.append(c)
        elif c in closes and (not waiting or waiting.pop() != closes[c]):
            return False
    return not waiting


class TestRules:
    RULES: ClassVar[list[Any]] = [
        rule for group in yaml("prometheus-rules.yaml")[0]["groups"] for rule in group["rules"]
    ]

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
    def test_a_rule_can_be_loaded_and_names_what_exists(self, rule: dict[str, Any]) -> None:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"[A-Z][A-Za-z]+", rule["alert"])
        assert balanced(rule["expr"])
        assert set(_METRIC.findall(rule["expr"])) <= metric_names()
        assert "for" not in rule or _DURATION.fullmatch(rule["for"])
        assert all(_DURATION.fullmatch(d) for d in re.findall(r"\[(.*?)\]", rule["expr"]))
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"]

    def test_names_are_unique(self) -> None:
        names = [rule["alert"] for rule in self.RULES]
        assert len(set(names)) == len(names)

    def test_each_silent_death_has_its_rule(self) -> None:
        used = {name for rule in self.RULES for name in _METRIC.findall(rule["expr"])}
        assert used >= {
            "eventwatch_cycle_age_seconds",
            "eventwatch_oldest_unsent_delivery_seconds",
            "eventwatch_leader",
            "eventwatch_ready",
            "eventwatch_contracts_age_seconds",
        }


class TestDashboard:
    BOARD: ClassVar[Any] = json.loads((DEPLOY / "grafana-dashboard.json").read_text())

    def test_every_panel_asks_for_metrics_that_exist(self) -> None:
        expressions = [t["expr"] for panel in self.BOARD["panels"] for t in panel["targets"]]
        assert len(expressions) > 8
        for expression in expressions:
            assert balanced(expression), expression
            assert set(_METRIC.findall(expression)) <= metric_names()

    def test_panels_do_not_overlap_and_have_ids_of_their_own(self) -> None:
        panels = self.BOARD["panels"]
        assert len({p["id"] for p in panels}) == len(panels)
        taken: set[tuple[int, int]] = set()
        for panel in panels:
            at = panel["gridPos"]
            cells = {(at["x"] + i, at["y"] + j) for i in range(at["w"]) for j in range(at["h"])}
            assert not cells & taken, panel["title"]
            assert at["x"] + at["w"] <= 24
            taken |= cells


def test_the_containers_have_no_rights_that_they_do_not_need() -> None:
    (compose,) = yaml("docker-compose.yml")
    service = compose["services"]["eventwatch"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["user"] == "10001:10001"
    assert "no-new-privileges:true" in service["security_opt"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    _, stateful, head = yaml("kubernetes/eventwatch.yaml")
    pod = stateful["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    (container,) = pod["containers"]
    rights = container["securityContext"]
    assert rights["readOnlyRootFilesystem"] is True
    assert rights["allowPrivilegeEscalation"] is False
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
    assert head["spec"]["selector"] == stateful["spec"]["selector"]["matchLabels"]
    mounted = {m["name"] for m in container["volumeMounts"]}
    made = {v["name"] for v in pod["volumes"]}
    made |= {c["metadata"]["name"] for c in stateful["spec"]["volumeClaimTemplates"]}
    assert mounted == made


def test_no_secret_and_no_host_of_ours_stands_in_them() -> None:
    for path in DEPLOY.rglob("*"):
        if path.is_file():
            text = path.read_text()
            assert not re.search(r"xox[abp]-\d|xapp-\d", text), path
            assert not re.search(r"PASSWORD: [a-z0-9]", text), path


def unit() -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / "eventwatch.service")
    return parser


def test_the_unit_is_a_unit() -> None:
    assert set(unit()) == {"DEFAULT", "Unit", "Service", "Install"}
    service = unit()["Service"]
    assert service["Restart"] == "always"
    assert service["ProtectSystem"] == "strict"
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert int(service["TimeoutStopSec"]) >= 10
    # The rest of the disk is read-only for it: all that it writes is where it is let.
    own = f"/var/lib/{service['StateDirectory']}"
    assert f"HOME={own}" in service["Environment"]
    assert f"TMPDIR={own}" in service["Environment"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_knows_every_word_of_the_unit(tmp_path: Path) -> None:
    text = (DEPLOY / "eventwatch.service").read_text(encoding="utf-8")
    program = unit()["Service"]["ExecStart"].split()[0]
    assert program in text
    # It looks for the program as well, which is not installed here.
    copy = tmp_path / "eventwatch.service"
    copy.write_text(text.replace(program, "/bin/true"), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(copy)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "eventwatch.service" not in done.stderr, done.stderr
