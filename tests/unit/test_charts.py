"""Charts are well-formed and put their points where the figures are."""

from __future__ import annotations

from xml.etree import ElementTree

from core.domain.charts import HEIGHT, MARGIN, WIDTH, bars_chart, points_chart
from core.domain.learning_plots import MOST_BARS, PlotKind, coverage_plot, model_plots

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


def _names(svg: str) -> list[str]:
    return [bar.findtext(f"{SVG}title", "") for bar in ElementTree.fromstring(svg).findall(f"{SVG}rect")[1:]]


def test_many_names_are_slanted_and_cut_but_said_whole_where_one_points():
    drawn = bars_chart("t", "share", [(f"SUP-OF-{n} & SONS", 0.25) for n in range(6)])
    assert _names(drawn)[5] == "SUP-OF-5 & SONS: 0.25"
    slanted = [group.findtext(f"{SVG}text") for group in ElementTree.fromstring(drawn).findall(f"{SVG}g")[1:]]
    assert slanted == [f"SUP-OF-{n} …" for n in range(6)]


def test_the_plots_of_models_are_of_the_one_that_speaks_and_of_all_that_were_judged():
    curve = [{"said": 0.1, "came": 0.2, "rows": 5}, {"said": 0.4, "came": 0.4, "rows": 5}]
    newest = {"id": 3, "spoke": "boosted", "state": "REFUSED", "metrics": {"pr_auc": 0.2}, "baseline": {"pr_auc": 0.1}}
    speaks = {
        "id": 2,
        "spoke": "logistic",
        "state": "ACTIVE",
        "metrics": {"pr_auc": 0.3, "curve": curve},
        "baseline": {},
    }
    first = {"id": 1, "spoke": "rule", "state": "RETIRED", "metrics": {}, "baseline": {}}
    plots = model_plots([newest, speaks, first])
    assert list(plots) == [PlotKind.CALIBRATION, PlotKind.BACKTEST]
    assert plots[PlotKind.CALIBRATION].count("<circle") == 2
    assert "Model 2 on unseen days" in plots[PlotKind.CALIBRATION]
    assert _names(plots[PlotKind.BACKTEST]) == ["2 logistic: 0.3", "3 boosted: 0.2"]
    assert ">0.1</text>" in plots[PlotKind.BACKTEST], "the ratio rule on the days of the newest"
    assert model_plots([first]) == {}


def test_coverage_is_drawn_of_the_first_suppliers_only():
    drawn = coverage_plot([{"code": f"S{n}", "p80": 0.7} for n in range(MOST_BARS + 1)])
    assert _names(drawn[PlotKind.COVERAGE]) == [f"S{n}: 0.7" for n in range(MOST_BARS)]
    assert coverage_plot([]) == {}
