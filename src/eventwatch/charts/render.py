"""A trace as PNG, SVG or Vega-Lite JSON, made in this process and without a network."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from importlib.util import find_spec
from typing import Any

from eventwatch.charts import spec as specification
from eventwatch.model.trace import Trace

SCALES = (0.5, 4.0)
PARTS = {"altair": "altair", "vl_convert": "vl-convert-python"}
"""Module → the package that brings it."""
_ADDRESS = re.compile(r'\s+xmlns(?::\w+)?="[^"]*"')
_ID = re.compile(r'(?<=[("#])clip\d+(?=[")])')


def ready() -> None:
    """Raises ConfigError where what draws is not installed; for who would find out late. Loads none of
    it: that costs a fifth of a second, and many a process never draws."""
    for module, package in PARTS.items():
        if find_spec(module) is None:
            raise specification.missing(package)


def spec(trace: Trace, *, dark: bool = False) -> dict[str, Any]:
    """The Vega-Lite document. Raises ConfigError where the extra ``charts`` is not installed."""
    return specification.spec(trace, dark=dark)


def spec_text(trace: Trace, *, dark: bool = False) -> str:
    """The same as ASCII text, for a file."""
    return json.dumps(spec(trace, dark=dark), indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def png(trace: Trace, *, scale: float = 2.0, dark: bool = False) -> bytes:
    """A PNG of 640 by 360 times ``scale`` pixels. Raises ConfigError where the extra ``charts`` is not
    installed, ValueError for a scale outside SCALES."""
    if not SCALES[0] <= scale <= SCALES[1]:
        raise ValueError(f"scale must be between {SCALES[0]:g} and {SCALES[1]:g}, not {scale:g}")
    made: bytes = _converter().vegalite_to_png(
        spec(trace, dark=dark), scale=scale, allowed_base_urls=[]
    )
    return made


def svg(trace: Trace, *, dark: bool = False) -> str:
    """An SVG document without scripts. Raises ConfigError where the extra ``charts`` is not
    installed."""
    made: str = _converter().vegalite_to_svg(spec(trace, dark=dark), allowed_base_urls=[])
    return _named(made)


def inline(trace: Trace) -> str:
    """An ``<svg>`` element for the inside of a page, in light colours; ``dark_rules`` turns them. It
    names no address. Raises ConfigError where the extra ``charts`` is not installed."""
    return _ADDRESS.sub("", svg(trace))


def dark_rules(within: str) -> str:
    """Style rules that give inline drawings their dark colours, below a selector."""
    light, dark = (dataclasses.astuple(look) for look in (specification.LIGHT, specification.DARK))
    return "\n".join(
        f'{within} [{what}="{before}"] {{ {what}: {after}; }}'
        for before, after in zip(light, dark, strict=True)
        for what in ("fill", "stroke")
    )


def _named(made: str) -> str:
    """The same document with names of its own: Vega counts them over the life of a process, so that two
    pictures of one trace would differ, and two pictures in one page could share one by accident."""
    order = list(dict.fromkeys(_ID.findall(made)))
    plain = _ID.sub(lambda found: f"clip{order.index(found[0])}", made)
    digest = hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return _ID.sub(lambda found: f"clip-{digest}-{order.index(found[0])}", made)


def _converter() -> Any:
    try:
        import vl_convert
    except ImportError:
        raise specification.missing(PARTS["vl_convert"]) from None
    return vl_convert
