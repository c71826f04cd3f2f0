"""Reading the layout of the public backorder set: each row is used, repaired by rule, or counted with its reason."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from ml.backorder_file import LABEL, REQUIRED, UnreadableFile, read_backorder_file
from ml.risk_training import fingerprints, training_set

ORDINARY = {
    "sku": "1", "national_inv": "12", "lead_time": "8", "in_transit_qty": "3", "forecast_3_month": "6", "forecast_6_month": "11",
    "forecast_9_month": "17", "sales_1_month": "2", "sales_3_month": "7", "sales_6_month": "13", "sales_9_month": "19",
    "min_bank": "4", "potential_issue": "No", "pieces_past_due": "0", "perf_6_month_avg": "0.9", "perf_12_month_avg": "0.8",
    "local_bo_qty": "0", "deck_risk": "No", "oe_constraint": "No", "ppap_risk": "No", "stop_auto_buy": "Yes", "rev_stop": "No",
    LABEL: "No",
}  # fmt: skip


def write(path: Path, *rows: dict[str, str], tail: str = "", drop: str = "") -> Path:
    names = [name for name in ORDINARY if name != drop]
    lines = [",".join(names), *[",".join((ORDINARY | row)[name] for name in names) for row in rows]]
    path.write_text("\n".join(lines) + "\n" + tail)
    return path


def test_values_unknowns_and_footer(tmp_path):
    path = write(
        tmp_path / "parts.csv",
        {"lead_time": "", "perf_6_month_avg": "-99.0"},
        {"sku": "2", "national_inv": "many", "pieces_past_due": "-4", LABEL: "Yes"},
        {"sku": "3", LABEL: ""},
        {"sku": "4", LABEL: "perhaps"},
        tail="(4 rows)" + "," * 22 + "\n5,1\n",
    )
    table = read_backorder_file(path)
    assert table.label.tolist() == [0, 1]
    assert table.index.tolist() == [0, 1]
    assert np.isnan(table.numbers["lead_time"]).tolist() == [True, False]
    assert np.isnan(table.numbers["national_inv"]).tolist() == [False, True]
    found = table.findings.as_json()
    assert (found["rows_read"], found["rows_used"]) == (6, 2)
    assert found["rejected"] == {"label_missing": 1, "label_unreadable": 1, "footer": 1, "another_number_of_cells": 1}
    assert found["first_lines"] == {
        "label_missing": [4], "label_unreadable": [5], "footer": [6], "another_number_of_cells": [7]
    }  # fmt: skip
    assert found["cells_unknown"] == {
        "national_inv: unreadable": 1, "lead_time: empty": 1, "perf_6_month_avg: -99": 1, "pieces_past_due: impossible": 1
    }  # fmt: skip


@pytest.mark.parametrize("column", ["sku", "remark"])
def test_one_long_cell_makes_no_other_row_longer(tmp_path, column):
    path = write(tmp_path / "parts.csv", *({"sku": str(number)} for number in range(1000)))
    head, first, *others = path.read_text().splitlines()
    long = "x" * 20_000
    first = f"{long}{first[1:]},b" if column == "sku" else f"{first},{long}"
    path.write_text("\n".join([f"{head},remark", first, *(f"{row},a" for row in others)]))
    tracemalloc.start()
    try:
        table = read_backorder_file(path)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert table.others["remark"].tolist() == [1.0] + [0.0] * 999


def test_layout_of_the_balanced_file(tmp_path):
    text = write(tmp_path / "plain.csv", {LABEL: "1", "deck_risk": "0"}, drop="sku").read_text()
    for name in ("potential_issue", "deck_risk", LABEL):
        text = text.replace(name, f'"{name}.Yes"')
    path = tmp_path / "balanced.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    table = read_backorder_file(path)
    assert (table.sku, table.label.tolist(), table.flags[0].tolist()) == (None, [1], [0, 0, 0, 0, 1, 0])


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_column_is_named(tmp_path, name):
    path = write(tmp_path / "parts.csv", {}, drop=name)
    with pytest.raises(UnreadableFile, match=f"the column {name} cannot be found"):
        read_backorder_file(path)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\x1f\x8b\x08broken"])
def test_what_is_no_such_file_is_refused(tmp_path, content):
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile):
        read_backorder_file(path)


QUANTITIES = [name for name, value in ORDINARY.items() if name not in ("sku", "lead_time", "perf_6_month_avg",
              "perf_12_month_avg") and value.isdigit()]  # fmt: skip


def times(*names: str) -> dict[str, str]:
    return {name: str(int(ORDINARY[name]) * 1000) for name in names}


def test_a_row_in_thousandths_is_taken_back(tmp_path):
    table = read_backorder_file(write(tmp_path / "parts.csv", times(*QUANTITIES), {"sku": "2"}))
    assert {name: values.tolist() for name, values in table.numbers.items() if name in QUANTITIES} == {
        name: [float(ORDINARY[name])] * 2 for name in QUANTITIES
    }
    assert dict(table.findings.repaired) == {"rows in thousandths": 1}


@pytest.mark.parametrize(
    "name", ["sales_1_month", "sales_3_month", "sales_6_month", "forecast_3_month", "forecast_6_month"]
)
def test_a_cell_that_breaks_the_sums_is_taken_back(tmp_path, name):
    table = read_backorder_file(write(tmp_path / "parts.csv", times(name), {"sku": "2"}))
    assert table.numbers[name].tolist() == [float(ORDINARY[name])] * 2
    assert dict(table.findings.repaired) == {f"{name}: thousandfold against the other months": 1}


def test_a_column_in_thousandths_is_taken_back(tmp_path):
    rows = [{"sku": str(sku), "national_inv": f"{sku + 1}000"} for sku in range(80)]
    table = read_backorder_file(write(tmp_path / "parts.csv", *rows))
    assert table.numbers["national_inv"].tolist() == [float(sku + 1) for sku in range(80)]


def test_one_lonely_thousand_is_only_reported(tmp_path):
    rows = [{"sku": str(sku)} for sku in range(500)]
    table = read_backorder_file(write(tmp_path / "parts.csv", {"national_inv": "5000"}, *rows))
    assert table.numbers["national_inv"][0] == 5000
    assert dict(table.findings.suspects) == {"national_inv: perhaps thousandfold": 1}
    assert not table.findings.repaired


def test_later_files_only_add_positives_and_weights_keep_the_rate(tmp_path):
    first = write(
        tmp_path / "first.csv",
        {"national_inv": "0", LABEL: "Yes"}, {"sku": "2", "lead_time": "", LABEL: "Yes"},
        *[{"sku": str(sku), "national_inv": str(sku)} for sku in range(3, 21)],
        {"sku": "20", "national_inv": "20"},
    )  # fmt: skip
    second = write(
        tmp_path / "second.csv",
        {"national_inv": "0", LABEL: "Yes"},  # is in the first
        {"national_inv": "1", LABEL: "Yes"},
        {"national_inv": "1", LABEL: "Yes"},  # again
        {"national_inv": "2", LABEL: "Yes"},
        {"national_inv": "50"},  # not positive
        drop="sku",
    )
    training = training_set([read_backorder_file(first), read_backorder_file(second)])
    assert (training.repeated_dropped, training.added_positives, training.duplicates_dropped) == (1, 2, 2)
    assert training.rate == 0.1
    assert training.label.sum() == 4
    assert training.weight[training.label == 1].tolist() == [1 / 3, 1, 1 / 3, 1 / 3]
    assert training.weight[training.label == 1].sum() / training.weight.sum() == pytest.approx(0.1)


def test_look_alikes_share_a_fingerprint(tmp_path):
    dead = {f"sales_{months}_month": "0" for months in (1, 3, 6, 9)}
    table = read_backorder_file(
        write(
            tmp_path / "parts.csv",
            {},
            {"sku": "2", "national_inv": "1", "sales_1_month": "0"},
            {"sku": "3", "min_bank": "5"},
            dead,
            {**dead, "sku": "5"},
            {**dead, "sku": "6", "national_inv": "13"},
            {**dead, "sku": "7", "deck_risk": "Yes"},
        )
    )
    marks = fingerprints(table).tolist()
    assert marks[0] == marks[1] != marks[2]
    assert marks[3] == marks[4]
    assert len(set(marks)) == 5
