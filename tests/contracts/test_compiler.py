"""The compilers: what they are given, and what is made of what they say."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from eventwatch.contracts import compiler
from eventwatch.contracts.advice import OPTIONS_PATH, options_proto_text
from eventwatch.contracts.compiler import compile_folder
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


@pytest.mark.parametrize(
    ("options", "line", "words"),
    [
        ("teir: TIER_CRITICAL", 5, 'has no field named "teir". Did you mean tier?'),
        ("freshness: {max_lag: 5}", 5, "Did you mean max_lag_seconds?"),
        ("freshness: {colour: 5}", 5, "It has max_gap_seconds, max_lag_seconds."),
        ("tier: TIER_CRITICL", 5, '"TIER_CRITICL" for field "tier". Did you mean TIER_CRITICAL?'),
        ("lifecycle: {state: STATE_ACTIV}", 5, "Did you mean STATE_ACTIVE?"),
        ("tier: PURPLE", 5, 'Unknown enumeration value of "PURPLE" for field "tier".'),
    ],
)
def test_a_word_that_the_vocabulary_does_not_have_is_told_what_was_meant(
    folder: Folder, options: str, line: int, words: str
) -> None:
    folder.write({"a.proto": HEADER + message(f"{TEAM} {options}")})
    (fault,) = folder.faults()
    assert fault.line == line
    assert fault.message.endswith(words)


def test_options_without_their_import_are_told_which_line_to_add(folder: Folder) -> None:
    text = HEADER.replace(f'import "{OPTIONS_PATH}";', "") + message(TEAM)
    folder.write({"a.proto": text})
    (fault,) = folder.faults()
    assert fault.message == (
        f'Option "(eventwatch.contract.v1.event)" unknown: add import "{OPTIONS_PATH}"; above it.'
    )


def test_a_file_without_its_first_line_is_told_of_it(folder: Folder) -> None:
    body = "  string id = 1;\n"
    text = HEADER.replace('syntax = "proto3";', "") + message(TEAM, body)
    folder.write({"a.proto": text})
    assert 'begins with syntax = "proto3";' in folder.faults()[0].message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_one_fault(folder: Folder, encoding: str) -> None:
    text = ("" if encoding == "utf-16" else "\ufeff") + HEADER + message(TEAM)
    (folder.root / "a.proto").write_bytes(text.encode(encoding))
    (fault,) = folder.faults()
    assert fault.message == "cannot be read: it is UTF-16; save it as UTF-8."


def test_folders_of_compilations_that_were_killed_are_deleted(tmp_path: Path) -> None:
    left, running = (tmp_path / f"{compiler.PREFIX}{name}" for name in ("left", "running"))
    others = tmp_path / "others"
    for folder in (left, running, others):
        (folder / "root").mkdir(parents=True)
    link = tmp_path / f"{compiler.PREFIX}link"
    link.symlink_to(others)
    now = time.time()
    os.utime(left, (now - 2 * compiler.LEFT_AFTER,) * 2)
    os.utime(link, (now - 2 * compiler.LEFT_AFTER,) * 2, follow_symlinks=False)
    compiler.delete_left(tmp_path, now)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        (running.name, link.name, "others")
    )
    assert (others / "root").is_dir()
