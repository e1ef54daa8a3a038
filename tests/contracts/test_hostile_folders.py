"""A contract folder is somebody else's: nothing outside it is read, and nothing in it hurts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from eventwatch.contracts import tree
from eventwatch.contracts.compiler import Limits, compile_folder
from eventwatch.contracts.protobuf import ProtobufSource
from eventwatch.model.errors import ContractError
from tests.contracts.conftest import HEADER, Folder, message
from tests.fakes.hostile_names import HOSTILE

TEAM = 'owner: {team: "growth"}'
SECRET = "TOPSECRET_LINE"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the contracts, with something that must not be read."""
    path = tmp_path / "outside"
    path.mkdir()
    (path / "secret.proto").write_text(f"{SECRET} of somebody else\n")
    return path


def test_a_link_to_a_file_outside_is_refused_unread(folder: Folder, outside: Path) -> None:
    folder.write({"a.proto": HEADER + message(TEAM)})
    (folder.root / "link.proto").symlink_to(outside / "secret.proto")
    (fault,) = folder.faults()
    assert fault.path == f"{folder.root}/link.proto"
    assert "leads out of the contract folder" in fault.message
    assert SECRET not in fault.message


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../outside/secret.proto", "/dev/zero", "/nowhere"]
)
def test_wherever_a_link_leads_it_is_refused(folder: Folder, outside: Path, target: str) -> None:
    (folder.root / "link.proto").symlink_to(target)
    assert "leads out" in folder.faults()[0].message


def test_a_link_to_a_folder_outside_is_refused(folder: Folder, outside: Path) -> None:
    folder.write({"a.proto": 'syntax = "proto3"; import "lib/secret.proto";'})
    (folder.root / "lib").symlink_to(outside)
    (fault,) = folder.faults()
    assert fault.path == f"{folder.root}/lib"
    assert SECRET not in str(fault)


def test_a_link_through_two_links_is_still_found_out(folder: Folder, outside: Path) -> None:
    (folder.root / "one").symlink_to("two.proto")
    (folder.root / "two.proto").symlink_to(outside / "secret.proto")
    assert SECRET not in "".join(map(str, folder.faults()))


def test_the_folder_itself_may_be_a_link(folder: Folder, tmp_path: Path) -> None:
    folder.write({"a.proto": HEADER + message(TEAM)})
    (tmp_path / "link").symlink_to(folder.root)
    settings = folder.settings(source=tmp_path / "link")
    assert list(ProtobufSource(settings).load().contracts) == ["user_did_it"]


def test_a_link_that_stays_inside_is_read_once(folder: Folder) -> None:
    folder.write({"a.proto": HEADER + message(TEAM)})
    (folder.root / "same.proto").symlink_to("a.proto")
    (folder.root / "loop").symlink_to(".")
    assert list(folder.load().contracts) == ["user_did_it"]


def test_a_link_to_itself_is_a_fault(folder: Folder) -> None:
    (folder.root / "self.proto").symlink_to("self.proto")
    assert folder.faults()


@pytest.mark.parametrize(
    "name",
    [
        "../outside/secret.proto",
        "OUTSIDE/secret.proto",
        "/etc/passwd",
        "a/../../outside/secret.proto",
    ],
)
@pytest.mark.parametrize("compiler", ["protoc", "buf"])
def test_imports_outside_are_refused(
    folder: Folder, outside: Path, name: str, compiler: str
) -> None:
    name = name.replace("OUTSIDE", str(outside))
    folder.write({"a.proto": f'syntax = "proto3";\nimport "{name}";\n'})
    faults = folder.faults(folder.settings(compiler=compiler))
    assert {fault.line for fault in faults} == {2}
    assert SECRET not in "".join(map(str, faults))
    if compiler == "protoc":
        assert "leads outside the contract folder" in faults[0].message


def test_an_include_folder_is_searched_but_its_links_are_not_followed(
    folder: Folder, outside: Path, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "good.proto").write_text('syntax = "proto3"; import "more/base.proto"; message G {}')
    (library / "more").mkdir()
    (library / "more/base.proto").write_text('syntax = "proto3"; message Base {}')
    (library / "unused.proto").write_text("this is no proto file")
    (library / "link.proto").symlink_to(outside / "secret.proto")
    text = HEADER + 'import "good.proto";\n' + message(TEAM, "  G g = 1;\n")
    folder.write({"a.proto": text})
    assert list(folder.load(include=(library,)).contracts) == ["user_did_it"]
    folder.write({"a.proto": text.replace("good", "link")})
    faults = folder.faults(folder.settings(include=(library,)))
    assert any("leads out of its include folder" in fault.message for fault in faults)
    assert SECRET not in "".join(map(str, faults))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_that_nobody_writes_to_does_not_hang(folder: Folder) -> None:
    os.mkfifo(folder.root / "pipe.proto")
    assert "not a regular file" in folder.faults()[0].message


def test_files_that_are_not_proto_are_not_looked_at(folder: Folder, outside: Path) -> None:
    folder.write({"a.proto": HEADER + message(TEAM), ".git/x.proto": "no", "README.md": "no"})
    (folder.root / "notes.txt").symlink_to(outside / "secret.proto")
    assert list(folder.load().contracts) == ["user_did_it"]


@pytest.mark.parametrize("name", ['a"b.proto', "a\nb.proto", "a\\b.proto", b"a\xff.proto"])
def test_a_name_that_no_import_can_spell_is_a_fault(folder: Folder, name: str | bytes) -> None:
    path = os.fsencode(folder.root) + b"/" + (name.encode() if isinstance(name, str) else name)
    with open(path, "w"):  # noqa: PTH123 - not every one of these is a path for pathlib
        pass
    (fault,) = folder.faults()
    assert "rename it" in fault.message
    assert str(fault).isprintable()


@pytest.mark.parametrize(
    "name", ["-x.proto", "--help.proto", "@x.proto", "a b.proto", "größe.proto", "a=b,c:d.proto"]
)
def test_a_strange_name_is_only_a_name(folder: Folder, name: str) -> None:
    folder.write({name: HEADER + message(TEAM)})
    assert folder.load().contracts["user_did_it"].location.path == name


def test_a_file_too_large_is_refused(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MAX_FILE_BYTES", 2**20)
    folder.write({"a.proto": "//" + "x" * 2**20})
    assert "larger than 1 MiB" in folder.faults()[0].message


def test_too_many_files_are_refused(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MAX_FILES", 3)
    folder.write({f"{i}.proto": 'syntax = "proto3";' for i in range(4)})
    assert "more than 3 files" in folder.faults()[0].message


@pytest.mark.parametrize("compiler", ["protoc", "buf"])
def test_a_cycle_of_imports_is_the_compilers_fault(folder: Folder, compiler: str) -> None:
    folder.write(
        {
            "a.proto": 'syntax = "proto3";\nimport "b.proto";\n',
            "b.proto": 'syntax = "proto3";\nimport "a.proto";\n',
        }
    )
    faults = folder.faults(folder.settings(compiler=compiler))
    assert any(fault.line == 2 for fault in faults)


def test_messages_nested_five_hundred_deep_are_the_compilers_fault(folder: Folder) -> None:
    text = 'syntax = "proto3";\n' + "message A {" * 500 + "}" * 500
    faults = folder.write({"a.proto": text}).faults()
    assert {fault.line for fault in faults} == {2}
    assert any("recursion" in fault.message for fault in faults)


def test_an_option_nested_five_hundred_deep_is_no_crash(folder: Folder) -> None:
    folder.write({"a.proto": HEADER + message("owner: {" * 500 + "}" * 500)})
    assert folder.faults()


def test_a_compilation_that_takes_too_long_is_ended(folder: Folder) -> None:
    lines = "".join(f"message M{i} {{ string a = 1; }}\n" for i in range(200_000))
    folder.write({"a.proto": 'syntax = "proto3";\n' + lines})
    with pytest.raises(ContractError) as raised:
        compile_folder(folder.root, (), "protoc", Limits(wall_seconds=0.3))
    assert "took longer" in str(raised.value)


def test_a_compilation_that_takes_too_much_memory_is_ended(folder: Folder) -> None:
    lines = "".join(f"message M{i} {{ string a = 1; }}\n" for i in range(200_000))
    folder.write({"a.proto": 'syntax = "proto3";\n' + lines})
    with pytest.raises(ContractError) as raised:
        compile_folder(folder.root, (), "protoc", Limits(memory_bytes=100 * 2**20))
    assert "memory" in str(raised.value)


def test_an_output_that_grows_too_large_is_ended(folder: Folder) -> None:
    folder.write({"a.proto": HEADER + message(TEAM)})
    with pytest.raises(ContractError):
        compile_folder(folder.root, (), "protoc", Limits(file_bytes=1000))


def test_nothing_is_left_behind(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    folder.write({"a.proto": HEADER + message(TEAM)}).load()
    folder.write({"a.proto": "broken"}).faults()
    assert list(place.iterdir()) == []


def quoted(text: str) -> str:
    """A Protobuf string literal of these characters."""
    return '"' + "".join(f"\\{byte:03o}" for byte in text.encode("utf-8", "replace")) + '"'


def test_hostile_texts_arrive_as_they_are(folder: Folder) -> None:
    events = []
    names = [name for name in HOSTILE if name.strip()]
    for i, name in enumerate(names):
        text = quoted(name)
        options = f"""owner: {{team: "t" oncall: {text} email: {text}}} description: {text}
          tags: {text} event_type: {quoted(name + str(i))} consumers: {{name: {text}}}
          expected: {{dimension: "platform" values: {text}}}"""
        events.append(message(options, name=f"E{i}"))
    catalog = folder.write({"a.proto": HEADER + "".join(events)}).load()
    assert len(catalog.contracts) == len(names)
    for i, name in enumerate(names):
        sent = name.encode("utf-8", "replace").decode()
        contract = next(c for c in catalog.contracts.values() if c.message_name == f"acme.E{i}")
        assert contract.event_type == (sent + str(i)).strip()
        assert contract.description == sent.strip()
        assert contract.expected_values == {"platform": (sent,)}


def test_a_hostile_comment_is_text(folder: Folder) -> None:
    comment = "// <!channel> <script>alert(1)</script> \x1b[31m \x07 " + "x" * 5000 + "\n"
    text = HEADER + comment + message(TEAM)
    (contract,) = folder.write({"a.proto": text}).load().contracts.values()
    assert contract.description.startswith("<!channel> <script>")
    assert len(contract.description) > 5000


def test_a_hostile_value_in_a_fault_is_short_and_on_one_line(folder: Folder) -> None:
    text = quoted("\x1b[31m\n\0<!channel>" + "x" * 5000)
    (fault,) = folder.event_faults(f"{TEAM} lifecycle: {{since: {text}}}")
    assert fault.isprintable()
    assert len(fault) < 200
