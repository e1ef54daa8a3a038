"""Nothing that is read (config, contracts, state, answers) is ever run as code or unpickled, by any
module that ships."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "eventwatch"
MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "jsonpickle", "yaml"}
"""``yaml`` is PyYAML, whose plain ``load`` runs what it reads; ruamel.yaml is used, safely."""
ALLOWED = {"backtest/pool.py": ["pickle"]}
"""Hands work to its own child processes through a folder that nobody else may enter."""
CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen"}


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "…"


def offences(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names=names):
                yield from (n.name for n in names if n.name.split(".")[0] in MODULES)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in MODULES:
                yield module
            case ast.Call(func=func, keywords=keywords):
                name = dotted(func)
                if name in CALLS:
                    yield name
                for word in keywords:
                    on = isinstance(word.value, ast.Constant) and word.value.value is True
                    if word.arg in ("shell", "allow_pickle") and on:
                        yield f"{name}({word.arg}=True)"
                # ruamel.yaml runs tags only with typ="unsafe".
                if name.endswith("YAML") and "unsafe" in ast.dump(node):
                    yield name


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from yaml import load",
        "eval('1')",
        "subprocess.run('x', shell=True)",
        "numpy.load(f, allow_pickle=True)",
        "YAML(typ='unsafe')",
        "os.system('x')",
    ],
)
def test_the_search_finds_what_it_looks_for(text: str) -> None:
    assert len(list(offences(text))) == 1


def test_no_module_unpickles_or_runs_what_it_reads() -> None:
    found = {
        str(path.relative_to(SOURCE)): list(offences(path.read_text(encoding="utf-8")))
        for path in SOURCE.rglob("*.py")
    }
    assert len(found) > 200
    assert {name: what for name, what in found.items() if what} == ALLOWED


def test_the_scheduler_keeps_its_jobs_in_memory() -> None:
    """Its other job stores are rows of pickles, which whoever writes the state could run."""
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "apscheduler.jobstores.sqlalchemy" not in text, path
        assert "SQLAlchemyJobStore" not in text, path
