from __future__ import annotations

from pathlib import Path

from jsonschema import Draft202012Validator

from eventwatch.config.load import cross_check, cross_warnings, load
from eventwatch.config.schema import checks_schema, config_schema
from eventwatch.config.template import EVENT_TYPE, SAMPLE, template_files
from eventwatch.config.tree import read_yaml
from eventwatch.kinds.registry import KINDS
from eventwatch.model.contract import Catalog, Contract, Location, Owner


def written(folder: Path) -> Path:
    for name, text in template_files():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "config.yaml"


def test_what_a_newcomer_gets_loads_without_a_warning(tmp_path: Path) -> None:
    loaded = load(written(tmp_path), {})
    contract = Contract(EVENT_TYPE, "social.X", Location("x.proto", 1), Owner("growth"))
    catalog = Catalog({EVENT_TYPE: contract}, {}, "d")
    assert loaded.warnings == ()
    assert cross_check(loaded, catalog) == ()
    assert cross_warnings(loaded, catalog) == ()
    assert {c.kind for c in loaded.checks} == set(KINDS)
    assert loaded.settings.exposures[0].parquet == str(tmp_path / "sample/*.parquet")
    assert SAMPLE.startswith("sample/")


def test_it_names_its_schemas_for_editors_and_keeps_to_them(tmp_path: Path) -> None:
    config = written(tmp_path)
    for path, schema in (
        (config, config_schema()),
        (tmp_path / "checks/defaults.yaml", checks_schema()),
    ):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        named = first.removeprefix("# yaml-language-server: $schema=")
        assert (path.parent / named).is_file()
        Draft202012Validator(schema).validate(read_yaml(path).value)


def test_the_lines_that_are_commented_out_are_right_too(tmp_path: Path) -> None:
    path = written(tmp_path)
    text = path.read_text(encoding="utf-8")
    for line in ("# slack_group_id: S", "# slack: {token", "# links: {contract", "# partition: {"):
        assert line in text
        text = text.replace(line, line.removeprefix("# "))
    path.write_text(text, encoding="utf-8")
    assert load(path, {"SLACK_BOT_TOKEN": "xoxb-12345678"}).settings.notify.slack is not None
