"""Statistics on arrays: what is usual, how far off a count is, how rare that is. Pure.

``score_counts`` is the front door for plain series; the check kinds use ``engine`` and ``rate``.
"""

from eventwatch.detect.frames import score_counts
from eventwatch.detect.settings import DetectSettings

__all__ = ["DetectSettings", "score_counts"]
