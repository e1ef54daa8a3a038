"""Messages word by word. ``EVENTWATCH_GOLDEN=write pytest tests/alerting/test_golden.py`` writes the
files anew; look at the ``.txt`` beside each, and at the page of ``tests.alerting.slack_view``, before
they go in."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from eventwatch.alerting.escape import size
from eventwatch.alerting.page import BUDGET
from tests.alerting.live_messages import SCENES
from tests.alerting.slack_view import assert_inert, blocks, page, picture
from tests.fakes.slack_rules import size_error

FOLDER = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", SCENES)
def test_a_message_reads_as_its_golden_file(name: str) -> None:
    message = SCENES[name]()
    made = {
        "text": message.text,
        "blocks": json.loads(message.blocks),
        "plain": message.plain.split("\n"),
    }
    file = FOLDER / f"{name}.json"
    if os.environ.get("EVENTWATCH_GOLDEN") == "write":
        file.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        file.with_suffix(".txt").write_text(picture(message), encoding="utf-8")
    assert made == json.loads(file.read_text(encoding="utf-8"))
    assert picture(message) == file.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SCENES)
def test_each_fits_and_does_nothing_but_be_read(name: str) -> None:
    message = SCENES[name]()
    assert_inert(message)
    assert size(message.text) + size(message.blocks) <= BUDGET
    assert size_error({"text": message.text, "blocks": blocks(message)}) == ""


def test_no_golden_file_is_left_over() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == set(SCENES)


def test_the_page_shows_every_text_and_runs_nothing() -> None:
    made = page({"hostile": SCENES["70_hostile"]()}, dark=False)
    assert "&lt;!channel&gt;" in made
    assert "<script" not in made
    assert "<!channel>" not in made
