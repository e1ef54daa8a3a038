from __future__ import annotations

import pytest

from eventwatch.cli import selection
from eventwatch.cli.selection import NoMatch
from eventwatch.model.status import KindName

EXPOSURES = ("orders", "analytics_events", "analytics_sessions")


def test_nothing_asked_for_is_no_restriction() -> None:
    assert selection.exposures((), EXPOSURES) == ()


def test_names_and_patterns_keep_the_order_of_the_config() -> None:
    assert selection.exposures(("analytics_*", "orders"), EXPOSURES) == EXPOSURES
    assert selection.exposures(("analytics_????ts",), EXPOSURES) == ("analytics_events",)


def test_what_matches_nothing_names_the_nearest() -> None:
    with pytest.raises(
        NoMatch, match=r"no exposure matches 'analytic_events'; did you mean analytics_e"
    ):
        selection.exposures(("orders", "analytic_events"), EXPOSURES)


def test_what_looks_like_nothing_lists_what_there_is() -> None:
    with pytest.raises(NoMatch, match="there is analytics_events, analytics_sessions, orders"):
        selection.exposures(("zzz",), EXPOSURES)


def test_teams_are_found_in_any_spelling() -> None:
    assert selection.teams(("Data_Platform",), {"data-platform", "growth"}) == ("data-platform",)


def test_kinds_are_typed() -> None:
    assert selection.kinds(("drift",)) == (KindName.DRIFT,)
    with pytest.raises(NoMatch, match="did you mean volume"):
        selection.kinds(("volum",))
