"""docs/observability.md lists exactly the metrics that there are, with their labels."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from eventwatch.web.metrics import Metrics, metric_names
from eventwatch.web.vitals import ExposureVitals, Vitals

PAGE = (Path(__file__).parents[2] / "docs" / "observability.md").read_text(encoding="utf-8")
LISTED = re.findall(r"(?m)^\| `(eventwatch_\w+)(?:\{([\w,]+)\})?` \| ([^|]+) \| ([^|]+) \|$", PAGE)
SECOND = timedelta(seconds=1)


def test_every_metric_is_listed_once_with_unit_and_meaning() -> None:
    names = [name for name, *_ in LISTED]
    assert sorted(names) == sorted(metric_names())
    for name, _, unit, meaning in LISTED:
        assert meaning.strip()
        assert ("_seconds" in name) == (unit == "seconds"), name


def test_the_labels_are_those_that_are_shown() -> None:
    one = ExposureVitals(SECOND, SECOND, SECOND, SECOND, 1, {"ran": 1}, {("volume", "pass"): 1})
    vitals = Vitals({"e": one}, {("info", "o"): 1}, SECOND, 1, "d", SECOND, "v")
    families = text_string_to_metric_families(Metrics(lambda: vitals).text().decode())
    shown = {s.name: set(s.labels) for family in families for s in family.samples}
    assert shown == {name: set(filter(None, labels.split(","))) for name, labels, *_ in LISTED}
