"""A config that changes again and again does not fill the disk with what it measured before."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta

from eventwatch.store.orphans import UNUSED
from tests.fakes.project import Project, steady


def test_what_was_measured_of_other_columns_is_deleted_after_a_while(project: Project) -> None:
    project.declare("user_a")
    project.config("    look_back: 20d\n")
    project.rows(steady(["user_a"], until=datetime.now(UTC), days=2))
    history = project.folder / "var" / "history"
    assert project.run("run-once", "--send").code == 0
    (old,) = (path for path in history.iterdir() if path.is_dir())
    config = project.folder / "config.yaml"
    config.write_text(config.read_text().replace("    dimensions: [platform]\n", ""))
    assert project.run("run-once", "--send").code == 0
    assert old.exists()
    long_ago = time.time() - (UNUSED + timedelta(days=1)).total_seconds()
    for path in (*old.iterdir(), old):
        os.utime(path, (long_ago, long_ago))
    assert project.run("run-once", "--send").code == 0
    assert not old.exists()
    assert [path for path in history.iterdir() if path.is_dir()]
