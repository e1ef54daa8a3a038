"""Pictures: they can be read, they are not blank, and nothing in them is active."""

from __future__ import annotations

import socket
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from numpy.typing import NDArray

from eventwatch.charts.render import png, svg
from eventwatch.charts.spec import DARK, HEIGHT, LIGHT, WIDTH
from tests.charts.png import pixels
from tests.fakes import traces

ACTIVE = (
    "</title><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "&lt;b&gt; & ]]>",
    "{{ 7*7 }} ${HOME}",
    "'];alert(1);['",
    "\x1b[31mred\u202e\x00\ud800",
    "שלום مرحبا 😀 中文",
    "",
    "x" * 5000,
)


@pytest.fixture(scope="module")
def light() -> NDArray[np.uint8]:
    return pixels(png(traces.trace(), scale=1))


def rgb(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def has(picture: NDArray[np.uint8], colour: str, slack: int = 6) -> int:
    """Pixels of about that colour."""
    near = np.abs(picture[..., :3].astype(int) - rgb(colour)).max(axis=-1) <= slack
    return int(near.sum())


def test_a_png_has_its_size_and_shows_line_range_and_trouble(light: NDArray[np.uint8]) -> None:
    assert light.shape[:2] == (HEIGHT, WIDTH)
    assert has(light, LIGHT.line) > 300
    assert has(light, LIGHT.bad) > 50
    assert has(light, LIGHT.text) > 100
    assert has(light, LIGHT.ground) < 0.9 * light[..., 0].size
    assert light[0, 0, :3].tolist() == rgb(LIGHT.ground)


def test_the_dark_one_has_another_ground_and_the_same_picture(light: NDArray[np.uint8]) -> None:
    dark = pixels(png(traces.trace(), scale=1, dark=True))
    assert dark.shape == light.shape
    assert dark[0, 0, :3].tolist() == rgb(DARK.ground)
    assert has(dark, DARK.line) > 300
    assert (dark[..., :3] != light[..., :3]).any(axis=-1).mean() > 0.9


def test_the_ground_is_not_see_through(light: NDArray[np.uint8]) -> None:
    if light.shape[2] == 4:
        assert (light[..., 3] == 255).all()


def test_a_scale_makes_more_pixels_and_an_absurd_one_is_refused() -> None:
    big = png(traces.trace(), scale=2)
    assert int.from_bytes(big[16:20], "big") == 2 * WIDTH
    with pytest.raises(ValueError, match="scale"):
        png(traces.trace(), scale=100)


@pytest.mark.parametrize("name", ACTIVE)
def test_an_svg_is_xml_without_anything_active_whatever_the_name(name: str) -> None:
    document = ET.fromstring(svg(traces.trace(name, name)))
    tags = {element.tag.rpartition("}")[2] for element in document.iter()}
    assert tags <= {"svg", "g", "path", "rect", "text", "line", "tspan", "defs", "clipPath"}
    attributes = {key for element in document.iter() for key in element.attrib}
    assert not {key for key in attributes if key.lower().startswith("on") or "href" in key}


def test_a_picture_is_made_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*of: Any, **more: Any) -> Any:
        raise OSError("no network here")

    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    assert len(png(traces.with_gaps(), scale=1)) > 1000


def test_the_same_trace_gives_the_same_picture() -> None:
    assert svg(traces.trace()) == svg(traces.trace())
