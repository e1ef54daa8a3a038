"""Turns a folder of .proto files into the bytes of a descriptor set, in a process with limits.

What the compiler says about a file is handed on with its own position and words; nothing it wrote is
trusted beyond that. The compiler sees a copy (``tree``), so no message can quote a foreign file.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from eventwatch.contracts.advice import OPTIONS_PATH, OWN, advised
from eventwatch.contracts.tree import Tree, copy_tree
from eventwatch.model.errors import ContractError, Fault

PREFIX = "eventwatch-contracts-"
LEFT_AFTER = 3600.0
"""Seconds after which a folder to compile in is nobody's: its process was killed."""
_CHILD = Path(__file__).with_name("compile_child.py")
_MAX_FAULTS = 200
_MAX_MESSAGE_BYTES = 2**20
_AT = re.compile(r"(?P<path>[^\n]+?\.proto):(?:(?P<line>\d+):\d+:)? ?(?P<text>.*)")
# Says again, of an importing file, what is said of the imported one already.
_ECHO = re.compile(r'Import "([^"]+)" was not found or had errors\.')
_UNDEFINED = re.compile(r" is not defined\.| seems to be defined in ")
# What the compiler may see of our environment: no secret of ours is needed to read a schema.
_ENVIRONMENT = re.compile(
    r"(?i)PATH|HOME|LANG|LC_ALL|TMPDIR|LD_LIBRARY_PATH|XDG_.*|(HTTPS?|NO)_PROXY|SSL_CERT_.*"
)


@dataclass(frozen=True)
class Limits:
    """What one compilation may cost. A tree of 4,000 messages of 50 fields takes 2.5 s of CPU."""

    cpu_seconds: int = 20
    wall_seconds: float = 60.0
    memory_bytes: int = 2**30
    """Address space. Not applied to buf: the Go runtime reserves far more than it uses."""
    file_bytes: int = 256 * 2**20


@dataclass(frozen=True)
class Compiled:
    """A descriptor set, and the files as they lie below the root."""

    content: bytes
    tree: Tree


def compile_folder(
    source: Path, include: tuple[Path, ...], compiler: str, limits: Limits | None = None
) -> Compiled:
    """Compiles every .proto file below ``source``. ``compiler`` is ``protoc`` or ``buf``.

    Raises ContractError with each fault that the compiler names.
    """
    if compiler not in ("protoc", "buf"):
        raise ContractError([Fault("", None, f"no compiler {compiler!r}: protoc or buf.")])
    try:
        delete_left(Path(tempfile.gettempdir()), time.time())
        with tempfile.TemporaryDirectory(prefix=PREFIX) as name:
            workspace = Path(name)
            tree = copy_tree(source, include, workspace)
            request = (_protoc if compiler == "protoc" else _buf)(workspace, tree)
            return Compiled(_run(request, workspace, limits or Limits(), tree), tree)
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "Compiling needs a temporary folder that can be written to (TMPDIR names it)."
        message = f"could not be copied to be compiled: {reason}. {hint}"
        raise ContractError([Fault("", None, message)]) from error


def delete_left(temporary: Path, now: float) -> None:
    """Deletes the folders of this user's processes that were killed while they compiled."""
    for path in temporary.glob(PREFIX + "*"):
        # Each for itself: others may be deleting as well.
        with contextlib.suppress(OSError):
            found = path.lstat()
            ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
            if ours and now - found.st_mtime > LEFT_AFTER:
                shutil.rmtree(path, ignore_errors=True)


def _protoc(_: Path, tree: Tree) -> dict[str, object]:
    package = importlib.util.find_spec("grpc_tools")
    if package is None or not package.submodule_search_locations:
        message = "grpcio-tools is not installed: install it, or give a compiled descriptor set."
        raise ContractError([Fault("", None, message)])
    tools = Path(package.submodule_search_locations[0])
    # Ours last: a copy that the folder ships, perhaps with numbers of its own, is the one to use.
    roots = [*tree.roots, str(OWN), str(tools / "_proto")]
    return {
        "import_path": str(tools.parent),
        "options": [
            *(f"-I{root}" for root in roots),
            "--include_imports",
            "--include_source_info",
            "--retain_options",
            "--descriptor_set_out=image.binpb",
        ],
        "files": [f"root/{name}" for name in tree.files],
    }


def _buf(workspace: Path, tree: Tree) -> dict[str, object]:
    """buf builds the folder's own module or workspace, or one that is made for the copy."""
    beside = Path(sys.executable).with_name("buf")
    binary = str(beside) if beside.is_file() else shutil.which("buf")
    if not binary:
        message = "buf is not installed: install eventwatch[buf], or set compiler: protoc."
        raise ContractError([Fault("", None, message)])
    target = "root"
    if not tree.has_buf_config:
        modules = [*tree.roots]
        if not any((workspace / root / OPTIONS_PATH).exists() for root in tree.roots):
            shutil.copytree(OWN, workspace / "own")
            modules.append("own")
        config = {"version": "v2", "modules": [{"path": module} for module in modules]}
        (workspace / "buf.yaml").write_text(json.dumps(config), encoding="utf-8")
        target = "."
    return {
        "execute": [str(Path(binary).absolute()), "build", target, "-o", "image.binpb"],
        "memory": 0,
    }


def _run(request: dict[str, object], workspace: Path, limits: Limits, tree: Tree) -> bytes:
    request = {
        "seconds": limits.cpu_seconds,
        "memory": limits.memory_bytes,
        "file_size": limits.file_bytes,
        **request,
    }
    # A file, not a pipe: the limit on file size then bounds what a hostile tree can make it say.
    with (workspace / "messages").open("w+b") as messages:
        child = subprocess.Popen(
            [sys.executable, "-I", str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=messages,
            stderr=messages,
            cwd=workspace,
            env={k: v for k, v in os.environ.items() if _may_see(k, request)},
            start_new_session=True,
        )
        code = _wait(child, json.dumps(request).encode(), limits.wall_seconds)
        messages.seek(0)
        said = messages.read(_MAX_MESSAGE_BYTES).decode("utf-8", "replace")
    if code == 0:
        return (workspace / "image.binpb").read_bytes()
    faults = _faults(said, tree)
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        limit = f"{limits.cpu_seconds} s of CPU time or {limits.wall_seconds:.0f} s in all"
        faults.append(Fault("", None, f"compiling took longer than {limit} and was ended."))
    elif "MemoryError" in said or "bad_alloc" in said or code in (-signal.SIGABRT, -signal.SIGSEGV):
        limit = f"{limits.memory_bytes // 2**20} MiB"
        faults.append(Fault("", None, f"the compiler broke off; it may use {limit} of memory."))
    elif not faults:
        last = (said.strip().splitlines() or ["nothing"])[-1][:500]
        faults.append(Fault("", None, f"the compiler failed ({code}) and said: {last}"))
    raise ContractError(faults)


def _may_see(variable: str, request: dict[str, object]) -> bool:
    """buf also gets its own variables, which name its cache and its registry."""
    own = "execute" in request and variable.startswith("BUF_")
    return own or _ENVIRONMENT.fullmatch(variable) is not None


def _wait(child: subprocess.Popen[bytes], request: bytes, seconds: float) -> int:
    """The child's exit code; past the time limit it is killed with all that it started."""
    try:
        child.communicate(request, timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    return child.returncode


def _faults(said: str, tree: Tree) -> list[Fault]:
    """The compiler's messages, each once, without the echoes of a fault in an imported file."""
    found: dict[Fault, None] = {}
    for line in said.splitlines():
        match = _AT.fullmatch(line.strip())
        if match is None or match["text"].startswith("warning:"):
            continue
        root, _, rest = match["path"].partition("/")
        path = rest if root in tree.roots else match["path"]
        number = int(match["line"]) if match["line"] else None
        found[Fault(path, number, match["text"])] = None
    faults = _without_echoes(list(found))
    if len(faults) > _MAX_FAULTS:
        more = Fault("", None, f"and {len(faults) - _MAX_FAULTS} faults more.")
        faults = [*faults[:_MAX_FAULTS], more]
    return faults


def _without_echoes(faults: list[Fault]) -> list[Fault]:
    """Leaves out what only follows from another fault, and says more of imports that are missing."""
    broken = {fault.path for fault in faults if fault.line is not None}
    echoing: set[str] = set()
    missing: set[str] = set()
    for fault in faults:
        if match := _ECHO.fullmatch(fault.message):
            (echoing.add(fault.path) if match[1] in broken else missing.add(match[1]))
    kept = []
    for fault in faults:
        match = _ECHO.fullmatch(fault.message)
        if (match and match[1] in broken) or (fault.line is None and fault.path in missing):
            continue
        if fault.path in echoing and _UNDEFINED.search(fault.message):
            continue
        kept.append(replace(fault, message=_missing(match[1])) if match else fault)
    return [replace(fault, message=advised(fault.message)) for fault in kept]


def _missing(name: str) -> str:
    if name.startswith("/") or ".." in name.split("/"):
        return (
            f'Import "{name}" leads outside the contract folder and was refused: write imports '
            "relative to that folder, and name further roots under contracts.include."
        )
    return (
        f'Import "{name}" was not found: imports are relative to the contract folder; name further '
        "roots under contracts.include."
    )
