"""What is drawn of models and dates: said against came, one backtest after the other, and how often dates were kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from core.domain.charts import bars_chart, points_chart

MOST_BARS = 12
"""More could not be read."""


class PlotKind(StrEnum):
    """What a plot shows."""

    CALIBRATION = "CALIBRATION"
    BACKTEST = "BACKTEST"
    COVERAGE = "COVERAGE"


def model_plots(models: Sequence[Mapping[str, Any]]) -> dict[PlotKind, str]:
    """SVG texts of models, given newest first (columns id, spoke, state, metrics, baseline); absent where nothing was judged."""
    plots: dict[PlotKind, str] = {}
    active = next((model for model in models if model["state"] == "ACTIVE"), None)
    if active is not None and active["metrics"].get("curve"):
        curve = [(point["said"], point["came"]) for point in active["metrics"]["curve"]]
        title = f"Model {active['id']} on unseen days; dashed: said is what came"
        plots[PlotKind.CALIBRATION] = points_chart(title, "said", "came", curve)
    judged = [model for model in models if model["metrics"].get("pr_auc") is not None][:MOST_BARS]
    if judged:
        bars = [(f"{model['id']} {model['spoke']}", model["metrics"]["pr_auc"]) for model in reversed(judged)]
        rule = judged[0]["baseline"].get("pr_auc")
        title = "Precision (PR-AUC) on unseen days" + ("" if rule is None else "; dashed: ratio rule")
        plots[PlotKind.BACKTEST] = bars_chart(title, "PR-AUC", bars, rule)
    return plots


def coverage_plot(suppliers: Sequence[Mapping[str, Any]]) -> dict[PlotKind, str]:
    """SVG text of suppliers (code, p80: share that came by it), at most MOST_BARS of them; none where nothing was judged."""
    bars = [(supplier["code"], supplier["p80"]) for supplier in suppliers[:MOST_BARS]]
    if not bars:
        return {}
    return {
        PlotKind.COVERAGE: bars_chart("Deliveries that came by their P80; dashed: what is meant", "share", bars, 0.8)
    }
