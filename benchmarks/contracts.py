"""What it costs to read contracts, beside what the compiler and the parser alone cost.

    python benchmarks/contracts.py [--events 3000] [--per-file 1]

Each line is a process of its own: seconds of its work (imports left out), CPU of the process and its
children, and the peak memory of either. The two floors are protoc alone on the folder, and protobuf
alone parsing the descriptor set; "×" is the ratio to the floor.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HEADER = 'syntax = "proto3";\npackage acme;\nimport "eventwatch/contract/v1/options.proto";\n'


def write_contracts(folder: Path, event_count: int, per_file: int) -> None:
    """Events as they are in practice: ten fields, half of them with a contract of their own."""
    teams = "".join(
        f"  TEAM_T{i} = {i + 1} [(eventwatch.contract.v1.team) = "
        f'{{slack_channel: "#t{i}" slack_group_id: "S0123ABCD"}}];\n'
        for i in range(30)
    )
    (folder / "teams.proto").write_text(
        f"{HEADER}enum Team {{\n  TEAM_UNSPECIFIED = 0;\n{teams}}}\n"
    )
    for first in range(0, event_count, per_file):
        numbers = range(first, min(event_count, first + per_file))
        owner = f'owner: {{team: "t{first % 30}"}} tier: TIER_STANDARD'
        defaults = f"option (eventwatch.contract.v1.event_defaults) = {{{owner}}};\n"
        events = "\n".join(_event(number) for number in numbers)
        (folder / f"events_{first}.proto").write_text(f"{HEADER}{defaults}\n{events}")


def _event(number: int) -> str:
    fields = "".join(
        f"  // What field {i} means.\n  string field_{i} = {i}"
        + (" [(eventwatch.contract.v1.field) = {required: true pii: PII_NONE}]" if i % 2 else "")
        + ";\n"
        for i in range(1, 11)
    )
    return (
        f"// Comes when user {number} does something.\nmessage UserDidThing{number} {{\n"
        "  option (eventwatch.contract.v1.event) = {\n"
        '    lifecycle: {state: STATE_ACTIVE since: "2024-01-01"}\n'
        "    freshness: {max_gap_seconds: 3600}\n"
        '    platforms: [PLATFORM_IOS, PLATFORM_WEB]\n    tags: ["a", "b"]\n'
        f"  }};\n{fields}}}\n"
    )


def prepare(folder: Path) -> None:
    """The folder as a descriptor set and as a JSON image, beside it."""
    from google.protobuf import json_format

    from eventwatch.contracts.compiler import compile_folder
    from eventwatch.contracts.image import read_image

    content = compile_folder(folder, (), "protoc").content
    (folder.parent / "set.binpb").write_bytes(content)
    files = [json_format.MessageToDict(file) for file in read_image(content, "set").files]
    (folder.parent / "set.json").write_text(json.dumps({"file": files}))


def parse_alone(path: Path) -> None:
    """The floor of a set: protobuf reads it, nobody looks at it."""
    from google.protobuf import descriptor_pb2

    content = path.read_bytes()
    started = time.perf_counter()
    files = descriptor_pb2.FileDescriptorSet.FromString(content)
    _report(started)
    if not files.file:
        raise SystemExit("the set was not read")


def protoc_alone(folder: Path) -> None:
    """The floor of a folder: protoc compiles it in place."""
    own = Path(__file__).parents[1] / "src/eventwatch/contracts/options"
    names = sorted(str(path) for path in folder.glob("*.proto"))
    arguments = folder.parent / "arguments"
    output = f"--descriptor_set_out={folder.parent / 'floor.binpb'}"
    flags = ["--include_imports", "--include_source_info", "--retain_options", output]
    arguments.write_text("\n".join([f"-I{folder}", f"-I{own}", *flags, *names]))
    command = [sys.executable, "-m", "grpc_tools.protoc", f"@{arguments}"]
    started = time.perf_counter()
    subprocess.run(command, check=True)
    _report(started)


def load(source: Path) -> None:
    """eventwatch, as the daemon does it."""
    from eventwatch.contracts.protobuf import ProtobufSource
    from eventwatch.model.settings import ContractSettings

    started = time.perf_counter()
    catalog = ProtobufSource(ContractSettings(source)).load()
    _report(started)
    if len(catalog.teams) != 30:
        raise SystemExit("the teams were not read")


def _report(started: float) -> None:
    elapsed = time.perf_counter() - started
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(each) for each in who]
    unit = 1 if sys.platform == "darwin" else 1024
    print(
        json.dumps(
            {
                "seconds": elapsed,
                "cpu": sum(u.ru_utime + u.ru_stime for u in used),
                "own_mib": used[0].ru_maxrss * unit / 2**20,
                "child_mib": used[1].ru_maxrss * unit / 2**20,
            }
        )
    )


def measure(step: str, path: Path, repeats: int) -> dict[str, float]:
    """The fastest of some runs, each in its own process."""
    command = [sys.executable, __file__, "--step", step, "--path", str(path)]
    runs = [
        json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        for _ in range(repeats)
    ]
    best: dict[str, float] = min(runs, key=lambda run: float(run["seconds"]))
    return best


def main() -> None:
    """Generates, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--events", type=int, default=3000)
    parser.add_argument("--per-file", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--step", choices=["prepare", "parse", "protoc", "load"], help=argparse.SUPPRESS
    )
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        steps = {"prepare": prepare, "parse": parse_alone, "protoc": protoc_alone, "load": load}
        steps[options.step](options.path)
        return
    with tempfile.TemporaryDirectory() as name:
        folder, binary = Path(name) / "contracts", Path(name) / "set.binpb"
        folder.mkdir()
        write_contracts(folder, options.events, options.per_file)
        json_path = binary.with_suffix(".json")
        # In a process of its own: the kernel counts what a parent holds as its children's peak.
        prepared = [sys.executable, __file__, "--step", "prepare", "--path", str(folder)]
        subprocess.run(prepared, check=True)
        lines = [
            ("protobuf alone, .binpb", "parse", binary, 0),
            ("eventwatch, .binpb", "load", binary, 0),
            ("eventwatch, .json", "load", json_path, 0),
            ("protoc alone, folder", "protoc", folder, 3),
            ("eventwatch, folder", "load", folder, 3),
        ]
        size = binary.stat().st_size / 2**20
        print(
            f"{options.events:,} events in {options.events // options.per_file:,} files, {size:.1f} MiB"
        )
        print(f"{'':24} {'seconds':>8} {'CPU':>7} {'MiB':>6} {'child':>6} {'× floor':>8}")
        results: list[dict[str, float]] = []
        for title, step, path, floor in lines:
            results.append(measure(step, path, options.repeats))
            found, ratio = results[-1], results[-1]["seconds"] / results[floor]["seconds"]
            print(
                f"{title:24} {found['seconds']:8.2f} {found['cpu']:7.2f} {found['own_mib']:6.0f} "
                f"{found['child_mib']:6.0f} {ratio:8.1f}"
            )


if __name__ == "__main__":
    main()
