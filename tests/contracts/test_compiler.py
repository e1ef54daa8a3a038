"""The compilers: what they are given, and what is made of what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from eventwatch.contracts.compiler import OPTIONS_PATH, compile_folder, options_proto_text
from eventwatch.contracts.protobuf import ProtobufSource
from eventwatch.model.contract import Location
from eventwatch.model.errors import ContractError
from tests.contracts.conftest import HEADER, Folder, message

TEAM = 'owner: {team: "growth"}'

has_buf = pytest.mark.skipif(
    not Path(sys.executable).with_name("buf").exists(), reason="the extra buf is not installed"
)


def test_the_vocabulary_that_init_writes_is_the_one_that_is_read(folder: Folder) -> None:
    text = options_proto_text()
    folder.write({OPTIONS_PATH: text, "a.proto": HEADER + message(TEAM)})
    assert folder.load().contracts["user_did_it"].owner.team == "growth"


def test_the_folders_own_vocabulary_is_used_in_place_of_the_shipped_one(folder: Folder) -> None:
    text = options_proto_text().replace("string runbook_url = 10;", "string handbook = 10;")
    folder.write({OPTIONS_PATH: text, "a.proto": HEADER + message(TEAM + ' handbook: "x"')})
    assert folder.load().contracts


def test_warnings_are_no_faults(folder: Folder) -> None:
    unused = 'import "google/protobuf/any.proto";\n'
    assert folder.write({"a.proto": HEADER + unused + message(TEAM)}).load().contracts


def test_secrets_of_ours_do_not_reach_the_compiler(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    monkeypatch.setenv("BUF_TOKEN", "for-buf")
    seen: list[dict[str, str]] = []

    class Watched(subprocess.Popen[bytes]):
        def __init__(self, args: list[str], **options: Any) -> None:
            seen.append(options["env"])
            super().__init__(args, **options)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    folder.write({"a.proto": HEADER + message(TEAM)}).load()
    assert "SLACK_BOT_TOKEN" not in seen[0]
    assert "BUF_TOKEN" not in seen[0]


def test_the_compiler_runs_wherever_the_process_stands(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    monkeypatch.setenv("PYTHONPATH", str(empty))
    (empty / "json.py").write_text("raise SystemExit('not this one')")
    assert folder.write({"a.proto": HEADER + message(TEAM)}).load().contracts


@has_buf
class TestBuf:
    """The other compiler, for those who have its workspaces."""

    def test_a_plain_folder_needs_no_configuration(self, folder: Folder) -> None:
        folder.write({"sub/a.proto": HEADER + message(TEAM)})
        catalog = ProtobufSource(folder.settings(compiler="buf")).load()
        assert catalog.contracts["user_did_it"].location == Location("sub/a.proto", 4)

    def test_a_folder_that_ships_the_vocabulary_does_not_get_it_twice(self, folder: Folder) -> None:
        folder.write({OPTIONS_PATH: options_proto_text(), "a.proto": HEADER + message(TEAM)})
        assert ProtobufSource(folder.settings(compiler="buf")).load().contracts

    def test_further_roots_are_modules(self, folder: Folder, tmp_path: Path) -> None:
        library = tmp_path / "library"
        library.mkdir()
        (library / "base.proto").write_text('syntax = "proto3"; message Base {}')
        folder.write(
            {"a.proto": HEADER + 'import "base.proto";\n' + message(TEAM, "  Base b = 1;\n")}
        )
        settings = folder.settings(compiler="buf", include=(library,))
        assert ProtobufSource(settings).load().contracts

    def test_a_workspace_of_the_user_is_honoured_and_paths_lead_below_the_root(
        self, folder: Folder
    ) -> None:
        folder.write(
            {
                "buf.yaml": "version: v2\nmodules: [{path: proto}]\n",
                f"proto/{OPTIONS_PATH}": options_proto_text(),
                "proto/acme/a.proto": HEADER + message(TEAM),
            }
        )
        catalog = ProtobufSource(folder.settings(compiler="buf")).load()
        assert catalog.contracts["user_did_it"].location == Location("proto/acme/a.proto", 4)

    def test_its_messages_keep_their_places(self, folder: Folder) -> None:
        folder.write(
            {
                "a.proto": 'syntax = "proto3";\nmessage A {\n  strin x = 1;\n}\n',
                "b.proto": 'syntax = "proto3";\nmessage B { int32 a = 1; int32 b = 1; }\n',
            }
        )
        faults = folder.faults(folder.settings(compiler="buf"))
        assert [(Path(f.path).name, f.line) for f in faults] == [("a.proto", 3), ("b.proto", 2)]

    def test_without_buf_it_says_how_to_get_it(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        monkeypatch.setenv("PATH", "")
        folder.write({"a.proto": HEADER + message(TEAM)})
        with pytest.raises(ContractError) as raised:
            compile_folder(folder.root, (), "buf")
        assert "eventwatch[buf]" in str(raised.value)
