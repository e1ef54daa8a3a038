"""docs/contracts.md shows contracts that work, and leaves none of the vocabulary out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from eventwatch.contracts.protobuf import ProtobufSource, options_proto_text
from eventwatch.contracts.vocabulary import CONTRACT_PATHS, TEAM_PATHS
from eventwatch.model.settings import ContractMapping
from tests.contracts.conftest import Folder

PAGE = (Path(__file__).parents[2] / "docs/contracts.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```proto\n(.*?)```", PAGE, re.DOTALL)
FOREIGN = [text for text in EXAMPLES if "package acme.meta" in text]


@pytest.mark.parametrize("text", [text for text in EXAMPLES if text not in FOREIGN])
def test_every_example_is_a_good_contract(folder: Folder, text: str) -> None:
    assert folder.write({"a.proto": text}).load().contracts


def test_the_first_example_is_what_the_page_says(folder: Folder) -> None:
    contract = folder.write({"a.proto": EXAMPLES[0]}).load().contracts["user_followed_user"]
    assert contract.description == "Fires when a person follows another one, once per pair and day."


def test_the_example_of_a_mapping_maps_the_example_of_foreign_options(folder: Folder) -> None:
    (yaml,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    levels = YAML(typ="safe").load(yaml)["contracts"]["mapping"]
    mapping = ContractMapping(**levels)
    folder.write({"a.proto": FOREIGN[0]})
    catalog = ProtobufSource(folder.settings(mapping=mapping)).load()
    contract = catalog.contracts["search_ran"]
    assert contract.owner.team == "search"
    assert contract.tier == "critical"
    assert contract.expected_values == {"screen": ("home",)}
    assert catalog.teams["search"].slack_channel == "#search-alerts"


def test_every_name_of_the_vocabulary_is_on_the_page() -> None:
    text = re.sub(r"//.*", "", options_proto_text())
    fields = re.findall(r"^\s+(?:optional |repeated )?\w+ (\w+) = \d+;", text, re.MULTILINE)
    values = re.findall(r"^\s+([A-Z]+_[A-Z_]+) = \d+;", text, re.MULTILINE)
    assert len(fields) > 40
    words = set(re.findall(r"\w+", PAGE))
    named = {name for name in (*fields, *values) if not name.endswith("_UNSPECIFIED")}
    assert sorted(named - words) == []


def test_every_path_of_a_mapping_is_a_field_of_the_vocabulary() -> None:
    text = options_proto_text()
    for path in (*CONTRACT_PATHS, *(path for path in TEAM_PATHS if path != "key")):
        assert re.search(rf"\b{path.rsplit('.', 1)[-1]} = \d+;", text), path
