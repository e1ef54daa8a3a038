"""Places in files as the reader would type them from where the command was called.

Contracts know where they stand below their source; in another folder that is a path nobody can open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eventwatch.app.house import House


def contracts_root(house: House) -> str:
    """The folder that the locations of contracts are relative to."""
    from eventwatch.model.errors import path_text

    source = house.settings.contracts.source
    return path_text(source) if source.is_dir() else path_text(source.parent)


def below(folder: str, place: str) -> str:
    """The place within the folder."""
    return place if folder in ("", ".") else f"{folder.rstrip('/')}/{place}"
