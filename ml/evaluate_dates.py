"""Plays a delivery history half-year by half-year: what would have been promised at its start, and what came."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.dates import Correction, DateSettings, DelayTables, conformal, expected_days
from ml.delivery_file import OPEN, Deliveries, read_delivery_file
from ml.table_file import UnreadableFile

Floats = NDArray[np.float64]

LEVELS = (0.5, 0.8, 0.9, 0.95)
TABLE_DAYS = 365
TABLE_NEEDS = 20
CALIBRATION_HALVES = 2
SUPPLIERS_SHOWN = 15
TOO_EXACT = 0.8
"""Share of lines to the very day from which promised days look written afterwards."""


def evaluate_dates(
    path: Path,
    start: date | None = None,
    settings: DateSettings | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Rolling by half-years from `start` (default: the first half-year after half of the history).

    Everything said about a half-year rests on lines promised, and days known, before it began. Yardsticks: the
    promise as it is, and the plain table (quantile per route and destination of what was delivered in the
    twelve months before; per route under 20 deliveries). Raises UnreadableFile.
    """
    settings = settings or DateSettings()
    began = time.perf_counter()
    history = read_delivery_file(path)
    starts = _half_years(history, start)
    if not starts:
        raise UnreadableFile(f"{path}: there is no half-year with lines to judge and a history before it.")
    tables: dict[int, DelayTables] = {}
    judged: list[dict[str, NDArray[Any]]] = []
    for begin, end in starts:
        say(f"Half-year from {date.fromordinal(begin)} ...")
        judged.append(_judge(history, begin, end, tables, settings))
    joined = {name: np.concatenate([half[name] for half in judged]) for name in judged[0]}
    return {
        **_figures(joined),
        "half_years": [
            {"from": date.fromordinal(begin).isoformat(), **_figures(half)}
            for (begin, _), half in zip(starts, judged, strict=True)
        ],
        "suppliers": _by_supplier(joined),
        "suspicions": _written_afterwards(joined),
        "settings": {"half_life_days": settings.half_life_days, "shrinkage": settings.shrinkage,
                     "widest_correction": settings.widest_correction},
        "file": history.findings,
        "seconds": round(time.perf_counter() - began, 3),
    }  # fmt: skip


def pinball(came: Floats, quantile: Floats, level: float) -> float:
    """Mean loss in days of a quantile: a day too early costs `level`, a day too late 1 - `level`."""
    gap = came - quantile
    return float(np.maximum(level * gap, (level - 1) * gap).mean())


def _half_years(history: Deliveries, start: date | None) -> list[tuple[int, int]]:
    first, last = int(history.promised.min()), int(history.promised.max())
    middle = start.toordinal() if start else (first + last) // 2
    edges = [
        date(year, month, 1).toordinal()
        for year in range(date.fromordinal(first).year, date.fromordinal(last).year + 2)
        for month in (1, 7)
    ]
    scored = history.actual != OPEN
    return [
        (begin, end)
        for begin, end in pairwise(edges)
        if begin >= middle
        and (scored & (history.promised >= begin) & (history.promised < end)).any()
        and (history.promised < begin).any()
    ]


def _half_before(edge: int) -> int:
    before = date.fromordinal(edge - 1)
    return date(before.year, 1 if before.month < 7 else 7, 1).toordinal()


def _judge(
    history: Deliveries, begin: int, end: int, tables: dict[int, DelayTables], settings: DateSettings
) -> dict[str, NDArray[Any]]:
    corrections = _corrections(history, begin, tables, settings)
    rows = _lines(history, begin, end)
    days = {level: np.empty(len(rows)) for level in LEVELS}
    table = _tables_at(history, begin, tables, settings)
    earlier = _tables_at(history, _half_before(begin), tables, settings)
    for place, row in enumerate(rows):
        keys = [str(level[row]) for level in history.levels]
        correction = corrections.get(keys[0], Correction({}, True))
        expected = expected_days(table.delay(keys), correction, LEVELS, before=earlier.delay(keys))
        for level in LEVELS:
            days[level][place] = expected[level]
    return {
        "came": history.delay[rows], "supplier": history.levels[1][rows],
        "route": history.levels[0][rows], "table": _plain_table(history, begin, rows, 0.9),
        **{f"p{round(level * 100)}": values for level, values in days.items()},
    }  # fmt: skip


def _lines(history: Deliveries, begin: int, end: int) -> NDArray[np.int64]:
    return np.flatnonzero((history.promised >= begin) & (history.promised < end) & (history.actual != OPEN))


def _tables_at(history: Deliveries, day: int, tables: dict[int, DelayTables], settings: DateSettings) -> DelayTables:
    if day not in tables:
        tables[day] = DelayTables(history, day, settings)
    return tables[day]


def _corrections(
    history: Deliveries, begin: int, tables: dict[int, DelayTables], settings: DateSettings
) -> dict[str, Correction]:
    """Per route, from what was forecast at the two half-year starts before: what had come by now, and what had not."""
    forecasts: dict[str, list[tuple[Any, float]]] = {}
    waiting: dict[str, list[tuple[Any, float]]] = {}
    edge = begin
    for _ in range(CALIBRATION_HALVES):
        since = _half_before(edge)
        table = _tables_at(history, since, tables, settings)
        for row in np.flatnonzero((history.promised >= since) & (history.promised < edge)):
            keys = [str(level[row]) for level in history.levels]
            seen = min(int(history.actual[row]), begin)
            said = (table.delay(keys), float(seen - history.promised[row]))
            (forecasts if history.actual[row] < begin else waiting).setdefault(keys[0], []).append(said)
        edge = since
    return {route: conformal(pairs, LEVELS, settings, waiting.get(route, ())) for route, pairs in forecasts.items()}


def _plain_table(history: Deliveries, begin: int, rows: NDArray[np.int64], level: float) -> Floats:
    recent = (history.actual < begin) & (history.actual >= begin - TABLE_DAYS)
    routes = history.levels[0]
    lanes = np.char.add(
        np.char.add(routes, "|"), np.array([key.rpartition("|")[2] for key in history.levels[-1].tolist()])
    )
    known: dict[str, float] = {}

    def quantile(keys: NDArray[np.str_], key: str, needs: int) -> float | None:
        found = history.delay[recent & (keys == key)]
        return float(np.quantile(found, level)) if len(found) >= needs else None

    for lane, route in {(str(lanes[row]), str(routes[row])) for row in rows}:
        answers = (quantile(lanes, lane, TABLE_NEEDS), quantile(routes, route, 1))
        known[lane] = next((answer for answer in answers if answer is not None), 0.0)
    return np.array([known[str(lanes[row])] for row in rows])


def _figures(lines: dict[str, NDArray[Any]]) -> dict[str, Any]:
    came = lines["came"]
    return {
        "lines": len(came),
        **{f"{name}_coverage": float((came <= lines[name]).mean()) for name in ("p50", "p80", "p90", "p95")},
        "promise_coverage": float((came <= 0).mean()),
        "table_p90_coverage": float((came <= lines["table"]).mean()),
        "p90_pinball": pinball(came, lines["p90"], 0.9),
        "table_p90_pinball": pinball(came, lines["table"], 0.9),
        "promise_p90_pinball": pinball(came, np.zeros_like(came), 0.9),
        "p50_mae": float(np.abs(came - lines["p50"]).mean()),
        "promise_mae": float(np.abs(came).mean()),
    }


def _written_afterwards(lines: dict[str, NDArray[Any]]) -> list[str]:
    """Routes whose promised days are nearly always the days of delivery: what was promised may have been put right later."""
    found = []
    for route in np.unique(lines["route"]).tolist():
        exact = float((lines["came"][lines["route"] == route] == 0).mean())
        if exact > TOO_EXACT:
            found.append(
                f"{route}: {exact:.0%} of the lines came on the very day that was promised. Such schedules look written "
                "afterwards, and then no figure of this route says how good a promise was when it was made."
            )
    return found


def _by_supplier(lines: dict[str, NDArray[Any]]) -> list[dict[str, Any]]:
    names, counts = np.unique(lines["supplier"], return_counts=True)
    shown = names[np.argsort(-counts, kind="stable")][:SUPPLIERS_SHOWN]
    return [
        {"supplier": str(name), **_figures({key: values[lines["supplier"] == name] for key, values in lines.items()})}
        for name in shown
    ]
