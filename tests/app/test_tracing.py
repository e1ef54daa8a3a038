"""One span per cycle with a child per step; none where nobody listens."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from eventwatch import app
from eventwatch.app import tracing
from eventwatch.app.house import RunOptions
from eventwatch.app.runs import Workplace, new_run_id, run_cycle
from eventwatch.ports.tracing import listen, span
from tests.fakes.clock import FakeClock
from tests.fakes.project import Project

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
HERE = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    tracing.set_up.cache_clear()
    yield
    listen(None)
    tracing.set_up.cache_clear()


class Tracer:
    """Notes spans as OpenTelemetry's tracer would be asked for them."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, str, dict[str, Any]]] = []
        self._open = [""]

    def get_tracer(self, _name: str, _version: str) -> Tracer:
        return self

    @contextmanager
    def start_as_current_span(
        self, name: str, *, attributes: dict[str, Any], **flags: bool
    ) -> Iterator[None]:
        assert flags == {"record_exception": False, "set_status_on_exception": False}
        self.spans.append((name, self._open[-1], attributes))
        self._open.append(name)
        try:
            yield
        finally:
            self._open.pop()


def run(shop: Project) -> str:
    house = replace(app.load(shop.folder / "config.yaml"), clock=FakeClock(NOW))
    store = app.store(house)
    try:
        history = app.adapter("history")(house.settings.history)
        run_id = new_run_id(NOW)
        place = Workplace(house, store, history, house.catalog)
        assert not run_cycle(place, house.settings.exposures[0], RunOptions(), run_id).error
        return run_id
    finally:
        store.close()


def test_a_cycle_is_a_span_and_its_steps_are_its_children(shop: Project) -> None:
    tracer = Tracer()
    listen(tracing.opener(tracer))
    run_id = run(shop)
    assert [(name, parent) for name, parent, _ in tracer.spans] == [
        ("eventwatch.cycle", ""),
        ("eventwatch.scan", "eventwatch.cycle"),
        ("eventwatch.judge", "eventwatch.cycle"),
        ("eventwatch.commit", "eventwatch.cycle"),
    ]
    told = {"eventwatch.run_id": run_id, "eventwatch.exposure": "events"}
    assert tracer.spans[0][2] == told


def test_where_nobody_listens_a_span_is_nothing() -> None:
    with span("cycle", exposure="e") as opened:
        assert opened is None


@pytest.mark.parametrize(
    ("env", "wanted"),
    [
        ({}, False),
        (HERE, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1"}, True),
        ({**HERE, "OTEL_SDK_DISABLED": "True"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
    ],
)
def test_the_environment_says_whether_spans_are_sent(env: dict[str, str], wanted: bool) -> None:
    assert tracing.wanted(env) is wanted


def test_without_the_extra_the_cycle_runs_and_says_once_what_to_install(
    shop: Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in HERE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    run(shop)
    run(shop)
    assert caplog.text.count("pip install 'eventwatch[otel]'") == 1


def test_with_the_extra_spans_reach_its_exporter_and_hold_no_exception() -> None:
    pytest.importorskip("opentelemetry.sdk")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    listen(tracing.opener(provider))
    with pytest.raises(ValueError), span("cycle", exposure="e"), span("scan"):
        raise ValueError("canary")
    scan, cycle = exporter.get_finished_spans()
    assert (scan.name, cycle.name) == ("eventwatch.scan", "eventwatch.cycle")
    assert scan.parent is not None
    assert scan.parent.span_id == cycle.context.span_id
    assert "canary" not in scan.to_json() + cycle.to_json()
