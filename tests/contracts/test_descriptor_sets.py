"""Compiled sets: binary, gzip and JSON, whole and broken."""

from __future__ import annotations

import contextlib
import gzip
import json
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from eventwatch.contracts import image
from eventwatch.contracts.image import read_image
from eventwatch.contracts.protobuf import ProtobufSource
from eventwatch.model.contract import Location
from eventwatch.model.errors import ContractError
from eventwatch.model.settings import ContractSettings
from tests.contracts.conftest import HEADER, Folder, message

TEAM = 'owner: {team: "growth"}'


def read_set(path: Path) -> descriptor_pb2.FileDescriptorSet:
    return descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes())


@pytest.fixture
def compiled(folder: Folder) -> Path:
    folder.write({"sub/a.proto": HEADER + "// Somebody did it.\n" + message(TEAM)})
    return folder.compiled()


def faults_of(path: Path) -> list[str]:
    with pytest.raises(ContractError) as raised:
        ProtobufSource(ContractSettings(path)).load()
    return [str(fault) for fault in raised.value.faults]


def test_a_set_places_contracts_at_the_files_it_was_made_of(compiled: Path) -> None:
    contract = ProtobufSource(ContractSettings(compiled)).load().contracts["user_did_it"]
    assert contract.location == Location("sub/a.proto", 5)
    assert contract.description == "Somebody did it."


def test_a_set_without_source_information_is_read_without_lines(compiled: Path) -> None:
    files = read_set(compiled)
    for file in files.file:
        file.ClearField("source_code_info")
    compiled.write_bytes(files.SerializeToString())
    contract = ProtobufSource(ContractSettings(compiled)).load().contracts["user_did_it"]
    assert contract.location == Location("sub/a.proto", None)
    assert contract.description == ""


def test_a_fault_in_a_set_without_lines_names_the_message(folder: Folder) -> None:
    folder.write({"a.proto": HEADER + message(TEAM + ' lifecycle: {since: "x"}')})
    path = folder.compiled()
    files = read_set(path)
    for file in files.file:
        file.ClearField("source_code_info")
    path.write_bytes(files.SerializeToString())
    assert faults_of(path) == [
        "a.proto: lifecycle.since: UserDidIt: 'x' is not a day: write it as YYYY-MM-DD."
    ]


def test_the_order_of_files_changes_nothing(compiled: Path) -> None:
    before = ProtobufSource(ContractSettings(compiled)).load()
    files = read_set(compiled)
    turned = descriptor_pb2.FileDescriptorSet(file=reversed(files.file))
    compiled.write_bytes(turned.SerializeToString())
    assert ProtobufSource(ContractSettings(compiled)).load() == before


def test_a_file_that_is_missing_from_the_set_is_named(compiled: Path) -> None:
    files = read_set(compiled)
    kept = [f for f in files.file if not f.name.startswith("google/protobuf/descriptor")]
    compiled.write_bytes(descriptor_pb2.FileDescriptorSet(file=kept).SerializeToString())
    # The runtime has that one. The vocabulary it has not.
    assert ProtobufSource(ContractSettings(compiled)).load().contracts
    files.file[0].dependency.append("gone.proto")
    for file in files.file:
        if file.name.endswith("options.proto"):
            file.dependency.append("gone.proto")
    compiled.write_bytes(files.SerializeToString())
    (fault,) = faults_of(compiled)
    assert '"gone.proto"' in fault
    assert "--include_imports" in fault


def test_a_set_without_the_vocabulary_declares_no_event(compiled: Path) -> None:
    files = read_set(compiled)
    kept = [f for f in files.file if f.name.endswith("a.proto")]
    compiled.write_bytes(descriptor_pb2.FileDescriptorSet(file=kept).SerializeToString())
    assert "declares no event" in faults_of(compiled)[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"\xff\xff\xff", "is not a descriptor set"),
        (b'syntax = "proto3";', "is not a descriptor set"),
        (b"\x1f\x8b\x08garbage", "cannot be read"),
        (gzip.compress(b"", mtime=0), "is empty"),
        (b"\x12\x00", "holds no files"),
        (b"\x0a\x00", "holds no files"),
    ],
)
def test_what_is_no_set_is_a_fault_that_says_how_to_make_one(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "set.binpb"
    path.write_bytes(content)
    (fault,) = faults_of(path)
    assert words in fault


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "3", '{"file": 3}', '{"file": []}', '{"file": [3]}', '{"file": [{}]}',
     '{"file": [{"name": "a.proto", "messageType": 7}]}',
     '{"file": [{"name": "a", "extension": [{"name": 5}]}]}',
     '{"file": [{"name": "a", "sourceCodeInfo": {"location": [3, {"path": "x", "span": 1}]}}]}',
     "[" * 100_000, '{"file":' * 5_000],
)  # fmt: skip
def test_what_is_no_json_image_is_a_fault(tmp_path: Path, text: str) -> None:
    path = tmp_path / "image.json"
    path.write_text(text)
    assert len(faults_of(path)) == 1


def test_keys_of_other_tools_in_json_are_left_alone(compiled: Path, folder: Folder) -> None:
    document = json_of(compiled)
    for file in document["file"]:  # type: ignore[attr-defined]
        file["bufExtension"] = {"isImport": False}
    path = compiled.with_suffix(".json")
    path.write_text(json.dumps(document))
    assert ProtobufSource(ContractSettings(path)).load().contracts["user_did_it"].location.line == 5


def json_of(path: Path) -> dict[str, object]:
    """What a JSON image looks like: the set's own fields, with options by their full names."""
    from google.protobuf import json_format

    read = read_image(path.read_bytes(), "set.binpb")
    return {"file": [json_format.MessageToDict(file) for file in read.files]}


def test_a_packed_set_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image, "MAX_BYTES", 2**20)
    path = tmp_path / "set.binpb.gz"
    path.write_bytes(gzip.compress(b"\0" * (2**20 + 1)))
    assert path.stat().st_size < 2000
    assert "larger than 1 MiB" in faults_of(path)[0]


def test_a_set_nested_beyond_reason_is_no_crash(tmp_path: Path) -> None:
    message_type = b"\x0a\x01A"
    for _ in range(500):
        size = len(message_type)
        length = bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14])
        message_type = b"\x0a\x01A\x1a" + length + message_type
    size = len(message_type)
    length = bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14])
    file = b"\x0a\x01a\x22" + length + message_type
    size = len(file)
    length = bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14])
    path = tmp_path / "set.binpb"
    path.write_bytes(b"\x0a" + length + file)
    assert "is not a descriptor set" in faults_of(path)[0]


def test_files_that_import_each_other_are_a_fault(compiled: Path) -> None:
    files = read_set(compiled)
    for file in files.file:
        if file.name.endswith("options.proto"):
            file.dependency.append("sub/a.proto")
    compiled.write_bytes(files.SerializeToString())
    assert "imports itself" in faults_of(compiled)[0]


def test_text_that_is_not_utf8_is_a_fault_and_no_crash(compiled: Path) -> None:
    compiled.write_bytes(compiled.read_bytes().replace(b"growth", b"gr\xffwth"))
    with pytest.raises(ContractError):
        ProtobufSource(ContractSettings(compiled)).load()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_a_set_or_a_fault(content: bytes, as_json: bool) -> None:
    # Anything but a ContractError is a crash, and the test's failure.
    with contextlib.suppress(ContractError):
        assert read_image(content, "x.json" if as_json else "x.binpb").files


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    root = tmp_path_factory.mktemp("whole") / "contracts"
    root.mkdir()
    folder = Folder(root).write({"a.proto": HEADER + message(TEAM, "  string a = 1;\n")})
    return folder.compiled().read_bytes()


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_set_is_read_or_refused_and_never_crashes(
    whole: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.binpb"
    path.write_bytes(bytes(damaged))
    with contextlib.suppress(ContractError):
        assert ProtobufSource(ContractSettings(path)).load().contracts
