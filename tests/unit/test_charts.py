"""Charts are well-formed and put their points where the figures are."""

from __future__ import annotations

from xml.etree import ElementTree

from workers.commands.charts import HEIGHT, MARGIN, WIDTH, bars_chart, points_chart

SVG = "{http://www.w3.org/2000/svg}"


def test_a_point_lies_where_its_figures_say():
    drawn = ElementTree.fromstring(points_chart("a < b", "said", "came", [(0.0, 0.0), (1.0, 0.5)], highest=1.0))
    circles = drawn.findall(f"{SVG}circle")
    assert [(float(c.get("cx")), float(c.get("cy"))) for c in circles] == [
        (MARGIN, HEIGHT - MARGIN), (WIDTH - MARGIN, HEIGHT / 2),
    ]  # fmt: skip
    assert drawn.get("aria-label") == "a < b"


def test_a_bar_is_as_high_as_its_figure_and_the_target_is_drawn():
    drawn = ElementTree.fromstring(bars_chart("t", "share", [("S & Co", 0.5), ("T", 1.0)], 0.8))
    heights = [float(bar.get("height")) for bar in drawn.findall(f"{SVG}rect")[1:]]
    assert heights == [(HEIGHT - 2 * MARGIN) / 2, HEIGHT - 2 * MARGIN]
    assert float(drawn.find(f"{SVG}line").get("y1")) == HEIGHT - MARGIN - 0.8 * (HEIGHT - 2 * MARGIN)
    assert ElementTree.fromstring(bars_chart("none", "share", [])) is not None
