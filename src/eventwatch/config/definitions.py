"""checks/*.yaml: lists of check definitions. Nothing is interpolated here; they hold no secrets.

``model_fields_set`` of each definition is exactly what its author wrote: layering depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from eventwatch.config.faults import one_of, unknown_key, validated
from eventwatch.config.tree import Tree, read_yaml
from eventwatch.kinds.definition import Check
from eventwatch.kinds.registry import KINDS
from eventwatch.model.errors import ConfigError, Fault, path_text
from eventwatch.model.status import KindName

_MOST_FILES = 1000


def read_checks(folder: Path, root: Path) -> tuple[tuple[Check, ...], tuple[Fault, ...]]:
    """Every definition below ``folder`` in the order of file and line, and every fault. ``root``: the
    folder of config.yaml; sources are named from there."""
    checks: list[Check] = []
    faults: list[Fault] = []
    if not folder.exists():
        return (), ()
    if not folder.is_dir():
        return (), (Fault(path_text(folder), None, "must be a folder of check definitions"),)
    for path in _files(folder):
        if not path.resolve().is_relative_to(folder.resolve()):
            message = "is a link to a file outside the folder of checks"
            faults.append(Fault(path_text(path), None, message))
            continue
        found, wrong = read_check_file(path, root)
        checks.extend(found)
        faults.extend(wrong)
    return tuple(checks), tuple(faults)


def read_check_file(path: Path, root: Path) -> tuple[tuple[Check, ...], tuple[Fault, ...]]:
    """As ``read_checks``, of one file."""
    try:
        tree = read_yaml(path, path_text(path))
    except ConfigError as error:
        return (), tuple(error.faults)
    checks, faults = _definitions(tree, _name(path, root))
    return tuple(checks), tuple(faults)


def settings_of_kind(kind: type[Check]) -> tuple[str, ...]:
    """The keys a definition of this kind may hold, as users write them."""
    return tuple(
        field.alias or name for name, field in kind.model_fields.items() if not field.exclude
    )


def _files(folder: Path) -> list[Path]:
    found = [
        path
        for pattern in ("*.yaml", "*.yml")
        for path in folder.rglob(pattern)
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    ]
    return sorted(found, key=lambda path: path.relative_to(folder).parts)[:_MOST_FILES]


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path_text(path)


def _definitions(tree: Tree, name: str) -> tuple[list[Check], list[Fault]]:
    if tree.value is None:
        return [], []
    if not isinstance(tree.value, list):
        message = 'must be a list of definitions, each beginning with "- kind: …"'
        return [], [tree.fault((), message)]
    checks: list[Check] = []
    faults: list[Fault] = []
    for i in range(len(tree.value)):
        check, wrong = _definition(tree, i)
        faults.extend(wrong)
        if check is not None:
            line = tree.line((i,))
            made = check.model_copy(update={"source": f"{name}:{line}"})
            made.model_fields_set.discard("source")
            checks.append(made)
    return checks, faults


def _definition(tree: Tree, i: int) -> tuple[Check | None, tuple[Fault, ...]]:
    value = tree.at((i,))
    known = [kind.value for kind in KINDS]
    if not isinstance(value, dict):
        return None, (tree.fault((i,), "must be a mapping that begins with kind", shown=()),)
    if "kind" not in value:
        message = f"kind is missing: one of {', '.join(known)}"
        return None, (tree.fault((i,), message, shown=("kind",)),)
    if value["kind"] not in known:
        message = one_of(str(value["kind"]), known)
        return None, (tree.fault((i, "kind"), message, shown=("kind",)),)
    model = type(KINDS[KindName(value["kind"])].defaults)
    faults = list(_reserved(tree, i, model))
    check, wrong = validated(model, tree, (i,), shown=())
    faults.extend(wrong)
    return (None if faults else check), tuple(faults)


def _reserved(tree: Tree, i: int, model: type[Check]) -> Iterator[Fault]:
    """Fields that a model knows by a name that users do not write."""
    settings = settings_of_kind(model)
    for name, field in model.model_fields.items():
        if name in tree.at((i,)) and name not in settings:
            if field.alias is not None:
                yield tree.fault((i, name), f"is written {field.alias} here", shown=(name,))
            else:
                yield unknown_key(tree, (i, name), settings, shown=(name,))
