"""Images of the queue: that they are images, and what is written in them."""

from __future__ import annotations

import re
import struct
import xml.etree.ElementTree as ElementTree

import pytest

from pyfix.queue.agechart import AGES, AgeChart

NOW = 1_000_000_000.0


@pytest.fixture(autouse=True)
def drawn_with_letters() -> None:
    import matplotlib

    matplotlib.rcParams["svg.fonttype"] = "none"


def _chart(count: int = 3) -> AgeChart:
    return AgeChart([(NOW - 4000 * at, [f"u@d{at}.example"] * (at + 1)) for at in range(count)], NOW)


def test_png() -> None:
    from pyfix.queue.ageimage import image

    data = image(_chart(), "png", 10)
    assert data.startswith(b"\x89PNG\r\n\x1a\n") and data.endswith(b"IEND\xaeB`\x82")
    width, height = struct.unpack(">II", data[16:24])
    assert width == 1000 and height > 200


@pytest.mark.parametrize("count", [0, 1, 3, 60])
def test_svg(count: int) -> None:
    """Each destination that has room stands there with its number, each age in the legend."""
    from pyfix.queue.ageimage import image

    chart = _chart(count)
    root = ElementTree.fromstring(image(chart, "svg", 40))
    texts = {"".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {f"{name} ({number})" for name, number, _parts in chart.rows(40)} <= texts
    assert {*(f"up to {age}" for age in AGES[:-1]), "over 64h", "recipients", chart.title()} <= texts


def test_lengths_of_the_bars() -> None:
    """Twice as many recipients are a bar twice as long."""
    from pyfix.queue.ageimage import image

    chart = AgeChart([(NOW, ["a@one.example", *["b@two.example"] * 2])], NOW)
    text = image(chart, "svg", 40).decode()
    lengths = []
    for path in re.findall(r'<path d="M ([\d.]+) [\d.]+ \nL ([\d.]+) [\d.]+ \nL \2 [\d.]+ \nL \1 [\d.]+ \nz\n"', text):
        start, end = map(float, path)
        lengths.append(end - start)
    assert any(abs(one - 2 * other) < 0.01 for one in lengths for other in lengths if other > 10)


def test_a_dollar_is_no_formula() -> None:
    from pyfix.queue.ageimage import image

    assert b"$x_1$.example (1)" in image(AgeChart([(NOW, ["a@$x_1$.example"])], NOW), "svg", 40)
