"""A private copy of a folder of .proto files, made of real files that lie below their root.

protoc follows symbolic links and quotes the first word of what it cannot parse, so a link out of
the folder would print a line of a foreign file in an error. Every path therefore goes through
``realpath`` before it is read, and the compiler sees the copy only. Imports are taken from the
further roots one by one: such a root may be a whole schema repository.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from eventwatch.model.errors import ContractError, Fault, path_text

MAX_FILES = 20_000
MAX_FILE_BYTES = 8 * 2**20
MAX_TOTAL_BYTES = 256 * 2**20
MAX_DEPTH = 64

_IMPORT = re.compile(
    rb"""\bimport\s+(?:public\s+|weak\s+|option\s+)?["']([^"'\\\r\n]{1,1000})["']"""
)
_BUF_FILES = frozenset({"buf.yaml", "buf.lock", "buf.work.yaml"})


@dataclass(frozen=True)
class Tree:
    """What was copied."""

    files: tuple[str, ...]
    """Paths to compile, relative to the root, sorted; one per real file."""
    roots: tuple[str, ...]
    """Names of the copied roots inside the target folder: the source first, then the further ones
    that something was imported from."""
    has_buf_config: bool

    def locate(self, name: str) -> str:
        """Path below the root of a file as the compiler names it (buf: relative to its module)."""
        if name in self.files:
            return name
        ending = [path for path in self.files if path.endswith("/" + name)]
        return ending[0] if len(ending) == 1 else name


def copy_tree(source: Path, include: tuple[Path, ...], target: Path) -> Tree:
    """Copies the .proto files of ``source``, and what they import from ``include``, into ``target``.

    Raises ContractError with every path that is refused.
    """
    copier = _Copier(target)
    root = Path(os.path.realpath(source))
    found = sorted(_walk(root, root, (root,), copier.faults), key=lambda f: (f.is_link, f.name))
    files, seen = [], set[Path]()
    for each in found:
        copier.copy(each.real, "root", each.name)
        if each.real not in seen and each.name.endswith(".proto"):
            files.append(each.name)
        seen.add(each.real)
    if not files and not copier.faults:
        copier.fault("", "holds no .proto file: write one, or name another folder as the source.")
    for folder in include:
        if not folder.is_dir():
            copier.fault(
                "", f"there is no folder {path_text(folder)!r} to include.", "contracts.include"
            )
    used = copier.follow_imports(tuple(Path(os.path.realpath(each)) for each in include))
    if copier.faults:
        raise ContractError(sorted(set(copier.faults)))
    has_config = any(each.name in _BUF_FILES for each in found)
    return Tree(tuple(sorted(files)), ("root", *used), has_config)


@dataclass(frozen=True)
class _Found:
    name: str
    real: Path
    is_link: bool


def _walk(
    folder: Path, root: Path, above: tuple[Path, ...], faults: list[Fault]
) -> Iterator[_Found]:
    """Files of interest below a folder; what must not be read becomes a fault."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        faults.append(Fault(_shown(folder, root), None, f"cannot be read: {_reason(error)}."))
        return
    for entry in entries:
        path = folder / entry.name
        name = _shown(path, root)
        wanted = entry.name.endswith(".proto") or (folder == root and entry.name in _BUF_FILES)
        if entry.name.startswith(".") or not (wanted or _leads_to_folder(path)):
            continue
        real = Path(os.path.realpath(path))
        if not real.is_relative_to(root):
            faults.append(
                Fault(
                    name,
                    None,
                    "is a symbolic link that leads out of the contract folder, so it was not read. "
                    "Copy what it points to into the folder, or name that place under include.",
                )
            )
        elif real.is_dir():
            if real in above:
                continue  # a link to a folder above itself: walking it would never end
            if len(above) > MAX_DEPTH:
                faults.append(Fault(name, None, f"lies more than {MAX_DEPTH} folders deep."))
                continue
            yield from _walk(path, root, (*above, real), faults)
        elif any(ord(c) < 32 or 0xD800 <= ord(c) < 0xE000 or c in '"\\\x7f' for c in name):
            faults.append(
                Fault(repr(name)[1:-1], None, "has a name that no import can spell: rename it.")
            )
        else:
            yield _Found(name, real, real != root / name)


class _Copier:
    """Writes files into the target and counts what they cost."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.faults: list[Fault] = []
        self._bytes = 0
        self._names: dict[str, set[str]] = {}
        self._imports: set[str] = set()

    def fault(self, name: str, message: str, key: str = "") -> None:
        self.faults.append(Fault(name, None, message, key))

    def copy(self, real: Path, root: str, name: str) -> None:
        """One regular file; remembers what it imports."""
        if sum(map(len, self._names.values())) >= MAX_FILES:
            raise ContractError([Fault(name, None, f"is one of more than {MAX_FILES:,} files.")])
        try:
            content = _read(real)
        except (OSError, ValueError) as error:
            self.fault(name, f"cannot be read: {_reason(error)}.")
            return
        self._bytes += len(content)
        if self._bytes > MAX_TOTAL_BYTES:
            limit = f"{MAX_TOTAL_BYTES // 2**20} MiB"
            raise ContractError([Fault(name, None, f"brings the folder above {limit}.")])
        copy = self.target / root / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(content)
        self._names.setdefault(root, set()).add(name)
        self._imports.update(m.decode("utf-8", "replace") for m in _IMPORT.findall(content))

    def follow_imports(self, include: tuple[Path, ...]) -> tuple[str, ...]:
        """Copies what is imported and lies in a further root, and what that imports, and so on.

        A name that is in no root is left to the compiler, which says where it is missing.
        """
        done: set[str] = set()
        while waiting := self._imports - done:
            for name in sorted(waiting):
                done.add(name)
                if any(name in names for names in self._names.values()):
                    continue
                if name.startswith("/") or ".." in Path(name).parts or "\0" in name:
                    continue
                for number, root in enumerate(include):
                    path = root / name
                    if not path.is_file():
                        continue
                    real = Path(os.path.realpath(path))
                    if real.is_relative_to(root):
                        self.copy(real, f"include{number}", name)
                    else:
                        self.fault(name, "is a symbolic link that leads out of its include folder.")
                    break
        return tuple(sorted((r for r in self._names if r != "root"), key=lambda r: int(r[7:])))


def _read(real: Path) -> bytes:
    """The content of a regular file. Raises OSError or ValueError.

    Opened without following a link and without waiting, since the path may have changed after it
    was resolved: a pipe would block for ever.
    """
    with os.fdopen(os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is not a regular file")
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"it is larger than {MAX_FILE_BYTES // 2**20} MiB")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ValueError("it is UTF-16; save it as UTF-8")
    return content


def _leads_to_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except OSError:
        return False


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _reason(error: Exception) -> str:
    """What is wrong without the path, which may lie elsewhere than what the user wrote."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error)
