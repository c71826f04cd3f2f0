"""Files as offices save them: other separators, encodings, decimal commas, orders and headings; refusals that name the way out."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

pytest.importorskip("numpy")

from ml.table_file import UnreadableFile, places_of, rows_of

PLAIN = [["part", "price"], ["Bürste", "1.5"], ["Nut", "0.62"]]
TEXT = "part,price\nBürste,1.5\nNut,0.62\n"
SAVED = {
    "utf-8": TEXT.encode(),
    "with its mark": TEXT.encode("utf-8-sig"),
    "utf-16": TEXT.encode("utf-16"),
    "windows": TEXT.encode("cp1252"),
    "gzipped": gzip.compress(TEXT.encode()),
    "windows line ends": TEXT.replace("\n", "\r\n").encode(),
    "blank lines first": b"\n\r\n" + TEXT.encode(),
    "semicolons": TEXT.replace(",", ";").encode(),
    "tabs": TEXT.replace(",", "\t").encode(),
    "decimal commas": TEXT.replace(",", ";").replace(".", ",").encode(),
    "quoted": b'"part","price"\n"B\xc3\xbcrste","1.5"\nNut,"0.62"\n',
}


@pytest.mark.parametrize("raw", SAVED.values(), ids=SAVED.keys())
def test_however_it_was_saved_it_says_the_same(tmp_path: Path, raw: bytes):
    (tmp_path / "file").write_bytes(raw)
    assert [row for _, row in rows_of(tmp_path / "file")] == PLAIN


def _saved(path: Path, *lines: str) -> list[list[str]]:
    path.write_text("\n".join(lines) + "\n")
    head, *rows = (row for _, row in rows_of(path))
    assert head == lines[0].split(";")
    return rows


def test_where_decimals_are_commas_points_are_group_marks_and_words_stay(tmp_path: Path):
    assert _saved(tmp_path / "a.csv", "sku;price;01.2026;m2", "A;9,50;1.200;900", "1,5;1.234,50;1.100;-12.500", "B;0,625;;7") == [
        ["A", "9.50", "1200", "900"], ["1,5", "1234.50", "1100", "-12500"], ["B", "0.625", "", "7"],
    ]  # fmt: skip
    assert _saved(tmp_path / "a.csv", "sku;price", "A;0,625", "B;1,250") == [["A", "0.625"], ["B", "1.250"]]


def test_thousands_stay_thousands_where_decimals_are_points(tmp_path: Path):
    rows = [["A", "1,500", "0.5"], ["B", "1,012,000", "1.234"]]
    assert _saved(tmp_path / "a.csv", "part;units;price", *map(";".join, rows)) == rows


@pytest.mark.parametrize("lines", [("A;1,500", "B;12,000"), ("A;9,5", "B;9.5")])
def test_a_comma_that_may_be_either_is_refused(tmp_path: Path, lines: tuple[str, ...]):
    cell = lines[0][2:]
    with pytest.raises(
        UnreadableFile, match=f"line 2: the comma of '{cell}' may part decimals or thousands. Save the file"
    ):
        _saved(tmp_path / "a.csv", "part;units", *lines)


def test_headings_in_any_order_and_spelling():
    assert places_of(Path("f"), ["Lead Time", "x", " National-Inv "], ("national_inv", "lead_time")) == {
        "national_inv": 2,
        "lead_time": 0,
    }


def test_a_refusal_names_the_column_its_likeness_and_what_is_there():
    with pytest.raises(UnreadableFile) as missing:
        places_of(Path("f.csv"), ["sku", "national_inventory"], ("national_inv",))
    assert str(missing.value) == (
        "f.csv: the column national_inv cannot be found. Rename 'national_inventory' as national_inv if that is what it holds. "
        "Its columns: 'sku', 'national_inventory'."
    )
    with pytest.raises(UnreadableFile, match=r"the column lead_time is there more than once; keep one of them\."):
        places_of(Path("f.csv"), ["lead_time", "Lead Time"], ("lead_time",))


def test_a_damaged_archive_is_a_sentence(tmp_path: Path):
    whole = gzip.compress(TEXT.encode() * 100)
    (tmp_path / "a.gz").write_bytes(whole[:20] + b"\xff\xff\xff" + whole[23:])
    with pytest.raises(UnreadableFile, match="cannot be read"):
        list(rows_of(tmp_path / "a.gz"))
