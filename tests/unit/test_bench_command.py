"""`manage.py bench`: what it lists, how it reports, and that a wrong result is no figure."""

import json

import pytest
import typer
from typer.testing import CliRunner

from workers.commands import bench

CLI = typer.Typer()
CLI.command()(bench.bench)
ROW = {"name": "steps", "figure": 20.0, "unit": "1/s", "yardstick": "walk", "yardstick_figure": 40.0, "ratio": 0.5}


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(CLI, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def test_an_unknown_benchmark_is_named_and_the_known_ones_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "available", lambda: ["steps"])
    assert run("stairs") == (2, "", "There is no benchmark 'stairs'; there are steps.\n")


def test_rows_are_printed_as_json_beside_their_yardstick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "available", lambda: ["edi_sets"])
    monkeypatch.setattr(bench, "measure", lambda name: [{"benchmark": name, **ROW}])
    code, out, _ = run("--json")
    assert code == 0
    assert json.loads(out)["rows"] == [{"benchmark": "edi_sets", **ROW, "reach": None, "reaches": None}]
    assert "yes" not in run()[1]


def test_each_row_says_what_it_has_to_reach_and_whether_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        ("place_orders", "the same, every line on one hot SKU (oversold 0)", 20.0, 0.8),
        ("place_orders", "the same, every line on one hot SKU (oversold 0)", 20.0, 0.79),
        ("repromise", "re-promise 1,000,000 lines: compute", 20.0, 3.0),
        ("repromise", "re-promise 1,000,000 lines: read, compute, write 5.0%", 4.1, 1.0),
    ]
    monkeypatch.setattr(bench, "available", lambda: ["edi_sets"])
    monkeypatch.setattr(
        bench,
        "measure",
        lambda _: [{**ROW, "benchmark": b, "name": n, "unit": "s", "figure": f, "ratio": r} for b, n, f, r in rows],
    )
    said = [(row["reach"], row["reaches"]) for row in json.loads(run("--json")[1])["rows"]]
    assert said == [(">= 0.8x", True), (">= 0.8x", False), ("<= 3x", True), ("<= 4 s", False)]
    assert [run()[1].count(word) for word in (" yes ", " NO ")] == [2, 2]


def test_a_wrong_result_fails_the_run_and_the_others_are_still_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(name: str) -> list[dict[str, object]]:
        if name == "repromise":
            raise AssertionError("one unit too many")
        return [{"benchmark": name, **ROW}]

    monkeypatch.setattr(bench, "available", lambda: ["repromise", "edi_sets"])
    monkeypatch.setattr(bench, "measure", measure)
    code, out, err = run("--json")
    assert code == 1
    assert [row["benchmark"] for row in json.loads(out)["rows"]] == ["edi_sets"]
    assert "repromise: the result that was timed is wrong: one unit too many\n" in err
