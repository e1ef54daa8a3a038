"""Places whose holidays are known, and what is said of others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import date

import pytest

from eventwatch.config.holidays import INSTALL, check_place, holidays_between
from eventwatch.config.load import Loaded
from eventwatch.model.holiday import Holiday

from .conftest import GOOD, Try


def with_holidays(text: str) -> str:
    """The good config with this setting."""
    return GOOD.replace("    owner: data\n", f"    owner: data\n    holidays: {text}\n")


def test_countries_and_their_parts_are_taken_once_each(loaded: Callable[..., Loaded]) -> None:
    (exposure,) = loaded(with_holidays("[DE, US-CA, DE, NO]")).settings.exposures
    assert exposure.holidays == ("DE", "US-CA", "NO")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("UK", "the United Kingdom is GB"),
        ("Germany", "codes of ISO 3166"),
        ("de", "codes of ISO 3166"),
        ("US-ZZ", "US-CA"),
        ("SG-01", "write the country alone"),
        ('"DE\\n"', "codes of ISO 3166"),
    ],
)
def test_what_is_no_place_is_a_fault_with_its_line(faults_of: Try, place: str, said: str) -> None:
    (fault,) = faults_of(with_holidays(f"[AT, {place}]"))
    assert fault.startswith("config.yaml:")
    assert "exposures.events.holidays" in fault
    assert said in fault


def test_all_wrong_places_are_told_at_once(faults_of: Try) -> None:
    assert len(faults_of(with_holidays("[UK, XX, DE-ZZ]"))) == 3


def test_holidays_are_listed_by_day_and_only_those_asked_for() -> None:
    found = holidays_between(("DE", "US"), date(2026, 12, 25), date(2027, 1, 1))
    assert found == (
        Holiday(date(2026, 12, 25), "Christmas Day", "DE"),
        Holiday(date(2026, 12, 25), "Christmas Day", "US"),
        Holiday(date(2026, 12, 26), "Second Day of Christmas", "DE"),
        Holiday(date(2027, 1, 1), "New Year's Day", "DE"),
        Holiday(date(2027, 1, 1), "New Year's Day", "US"),
    )
    assert not holidays_between(("DE",), date(2026, 12, 27), date(2026, 12, 31))


def test_without_the_package_the_config_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, faults_of: Try
) -> None:
    from eventwatch.config import holidays

    holidays._countries.cache_clear()
    monkeypatch.setitem(sys.modules, "holidays", None)
    (fault,) = faults_of(with_holidays("[DE]"))
    assert INSTALL in fault
    assert faults_of() == []
    holidays._countries.cache_clear()


def test_the_package_is_not_imported_for_who_does_not_use_it() -> None:
    code = (
        "import sys\nimport eventwatch.config.load\n"
        "assert 'holidays' not in sys.modules, 'imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("place", ["DE", "US-CA", "GB-SCT"])
def test_a_known_place_is_kept_as_it_is(place: str) -> None:
    assert check_place(place) == place
