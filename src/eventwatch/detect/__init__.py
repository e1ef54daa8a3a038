"""Statistics on arrays: what is usual, how far off a count is, how rare that is. Pure.

``score_counts`` is the front door for plain series; the check kinds use ``engine`` and ``rate``. It is
the only part that needs pandas, so it is loaded when somebody asks for it.
"""

from typing import TYPE_CHECKING, Any

from eventwatch.detect.settings import DetectSettings

if TYPE_CHECKING:
    from eventwatch.detect.frames import score_counts

__all__ = ["DetectSettings", "score_counts"]


def __getattr__(name: str) -> Any:
    if name == "score_counts":
        from eventwatch.detect.frames import score_counts

        return score_counts
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
