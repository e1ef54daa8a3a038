"""What stands in /metrics, and that its size is bounded."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client.parser import text_string_to_metric_families

from eventwatch.web.metrics import MOST_OWNERS, OTHERS, Metrics, metric_names
from eventwatch.web.vitals import ExposureVitals, Vitals
from tests.fakes.hostile_names import HOSTILE


def vitals(**changes: object) -> Vitals:
    kept: dict[str, object] = {
        "exposures": {
            "web_events": ExposureVitals(
                cycle_age=timedelta(seconds=90),
                cycle_duration=timedelta(seconds=2),
                scan_duration=timedelta(milliseconds=700),
                rows_read=1204,
                cycles={"ran": 5, "skipped": 1},
                results={("volume", "pass"): 300, ("volume", "fail"): 2},
            )
        },
        "open_incidents": {("critical", "growth"): 2, ("warning", "growth"): 1},
        "oldest_unsent": timedelta(minutes=3),
        "unsent": 4,
        "contracts_digest": "ab" * 32,
        "contracts_age": timedelta(minutes=1),
        "version": "1.2.3",
    }
    return Vitals(**{**kept, **changes})  # type: ignore[arg-type]


def samples(given: Vitals) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = Metrics(lambda: given).text().decode()
    return {
        (s.name, tuple(sorted(s.labels.items()))): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


def test_every_vital_is_shown_in_base_units() -> None:
    shown = samples(vitals())
    of = (("exposure", "web_events"),)
    assert shown["eventwatch_cycle_age_seconds", of] == 90.0
    assert shown["eventwatch_cycle_duration_seconds", of] == 2.0
    assert shown["eventwatch_scan_duration_seconds", of] == 0.7
    assert shown["eventwatch_rows_read_total", of] == 1204
    assert shown["eventwatch_slots_total", (*of, ("status", "skipped"))] == 1
    assert shown["eventwatch_results", (*of, ("kind", "volume"), ("status", "fail"))] == 2
    owner = (("owner", "growth"), ("severity", "critical"))
    assert shown["eventwatch_open_incidents", owner] == 2
    assert shown["eventwatch_oldest_unsent_delivery_seconds", ()] == 180.0
    assert shown["eventwatch_unsent_deliveries", ()] == 4
    assert shown["eventwatch_build_info", (("version", "1.2.3"),)] == 1
    assert shown["eventwatch_contracts_info", (("digest", "ab" * 32),)] == 1
    assert shown["eventwatch_ready", ()] == 1


def test_what_never_happened_has_no_value() -> None:
    shown = samples(vitals(exposures={"new": ExposureVitals()}, oldest_unsent=None))
    assert ("eventwatch_cycle_age_seconds", (("exposure", "new"),)) not in shown
    assert shown["eventwatch_oldest_unsent_delivery_seconds", ()] == 0


def test_many_owners_cannot_make_many_series() -> None:
    counts = {("warning", f"team-{i}"): 1 for i in range(50_000)} | {("critical", "loud"): 7}
    shown = {k: v for k, v in samples(vitals(open_incidents=counts)).items() if "incidents" in k[0]}
    assert len(shown) == MOST_OWNERS + 1
    assert sum(shown.values()) == 50_007
    assert shown["eventwatch_open_incidents", (("owner", "loud"), ("severity", "critical"))] == 7
    owner = (("owner", OTHERS), ("severity", "warning"))
    assert shown["eventwatch_open_incidents", owner] == 50_000 - (MOST_OWNERS - 1)


def test_hostile_names_are_values_and_never_lines() -> None:
    counts = {("warning", name): 1 for name in HOSTILE}
    text = Metrics(lambda: vitals(open_incidents=counts)).text().decode()
    assert all(line.startswith(("#", "eventwatch_")) for line in text.splitlines() if line)
    assert sum(samples(vitals(open_incidents=counts)).values()) > len(HOSTILE)


def test_the_names_are_those_that_rules_and_dashboards_use() -> None:
    shown = {name for name, _ in samples(vitals())}
    assert shown <= metric_names()
    assert all(name.startswith("eventwatch_") for name in metric_names())
