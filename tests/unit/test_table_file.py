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


def test_thousands_stay_thousands_where_every_comma_could_be_one(tmp_path: Path):
    (tmp_path / "a.csv").write_text("part;units\nA;1,500\nB;12,000\n")
    assert [row[1] for _, row in rows_of(tmp_path / "a.csv")] == ["units", "1,500", "12,000"]


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
