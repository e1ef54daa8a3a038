"""The process in which foreign .proto files are compiled: sets its own limits, then lets go.

Run as a script by ``compiler``, never imported by the house, and standard library only until the
limits hold. They are set here and not in a ``preexec_fn``, which may deadlock in a process with
threads. Arguments: one JSON object (see ``main``); exit code: the compiler's.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys


def main(request: dict[str, object]) -> int:
    """Keys: ``seconds``, ``memory``, ``file_size`` (bytes; 0: no limit), and either ``execute``
    (a command line that replaces this process) or ``options``, ``files`` and ``import_path``
    for the protoc that is linked into grpcio-tools."""
    limits = (
        (resource.RLIMIT_CPU, request["seconds"]),
        (resource.RLIMIT_AS, request["memory"]),
        (resource.RLIMIT_FSIZE, request["file_size"]),
    )
    for what, limit in limits:
        if limit:
            _limit(what, int(str(limit)))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    execute = [str(word) for word in _list(request.get("execute"))]
    if execute:
        os.execv(execute[0], execute)
    sys.path.append(str(request["import_path"]))
    from grpc_tools import protoc

    options = [str(option) for option in _list(request["options"])]
    files = [str(name) for name in _list(request["files"])]
    code = int(protoc.main(["protoc", *options, *files]))
    if code and len(files) > 1:
        # protoc stops at the first broken file. A person wants to know of all of them.
        for name in files:
            protoc.main(["protoc", *options, name])
    return code


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _limit(what: int, limit: int) -> None:
    """Lowers a limit; a platform that knows no such limit goes without."""
    with contextlib.suppress(ValueError, OSError):
        _, hard = resource.getrlimit(what)
        ceiling = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(what, (ceiling, hard if hard != resource.RLIM_INFINITY else ceiling))


if __name__ == "__main__":
    sys.exit(main(json.load(sys.stdin)))
