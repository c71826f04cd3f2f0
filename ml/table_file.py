"""Opens CSV files, plain or gzipped, whatever separates and encodes them, and says in one sentence why one cannot be used."""

from __future__ import annotations

import codecs
import csv
import difflib
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import BackorderManagerError

SEPARATORS = ",;\t|"
SHOWN_COLUMNS = 12
LONGEST_NAME = 100
"""Characters by which names are told apart: an array of words is as wide as its longest, in every row."""
NOTHING = {"", "na", "n/a", "nan", "null", "none", "-", "."}
MOSTLY = 0.8
"""Share of the cells of a column that are figures where it holds numbers."""
_FIGURE = re.compile(r"[-+]?\d[\d.,\s]*$")
_DECIMAL_COMMA = re.compile(r"[-+]?(\d+|\d{1,3}([.\s]\d{3})+),\d+$")
_DECIMAL_POINT = re.compile(r"[-+]?((?![1-9]\d{0,2}\.\d{3}$)(\d+|\d{1,3}(,\d{3})+)\.\d+|[1-9]\d{0,2}(,\d{3}){2,})$")
"""Nothing but a number with points for decimals: 9.5, 1,234.50, 1,234,567."""
_GROUPED_BY_COMMAS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+$")
_GROUPED_BY_POINTS = re.compile(r"[-+]?[1-9]\d{0,2}([.\s]\d{3})+$")


class UnreadableFile(BackorderManagerError):
    """The file is not in the layout, or cannot be opened; the message says what is missing."""


def read_text(path: Path) -> str:
    """The text of a file, gunzipped where needed: UTF-8, UTF-16 with its mark, else Windows-1252. Raises UnreadableFile."""
    try:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFile(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def rows_of(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number (1 = heading) and cells of every line that is not blank. Raises UnreadableFile.

    Comma, semicolon, tab or bar: whichever the heading has most of. Where it is not the comma, figures such as 0,62 are
    read as 0.62, and 1.234,50 as 1234.50; 1,500 alone, which may be either, is refused.
    """
    text = read_text(path).replace("\0", "").lstrip("\r\n")
    heading = text.partition("\n")[0]
    separator = max(SEPARATORS, key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        rows = ((reader.line_num, row) for row in reader if row)
        yield from rows if separator == "," or "," not in text else _with_points(path, rows)
    except csv.Error as error:
        raise UnreadableFile(f"{path}, line {reader.line_num}: {error}.") from None


def _with_points(path: Path, rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    """Figures with decimal commas as Python writes them. Columns of words stay as they are.

    Where decimals of the file are commas, points before three digits are group marks. Raises UnreadableFile where a comma
    may be either.
    """
    whole = list(rows)
    columns: dict[int, list[tuple[int, str]]] = {}
    for line, row in whole[1:]:
        for place, cell in enumerate(row):
            if cell.strip().lower() not in NOTHING:
                columns.setdefault(place, []).append((line, cell.strip()))
    figures = {
        place: [(line, cell) for line, cell in cells if _FIGURE.match(cell)]
        for place, cells in columns.items()
        if sum(bool(_FIGURE.match(cell)) for _, cell in cells) >= MOSTLY * len(cells)
    }
    every = [one for cells in figures.values() for one in cells]
    comma = next((one for one in every if _DECIMAL_COMMA.match(one[1]) and not _GROUPED_BY_COMMAS.match(one[1])), None)
    pointed = {
        place: one
        for place, cells in figures.items()
        if (one := next((one for one in cells if _DECIMAL_POINT.match(one[1])), None)) is not None
    }
    for place, cells in figures.items():
        unclear = next((one for one in cells if "," in one[1] and _DECIMAL_COMMA.match(one[1])), None)
        if unclear is not None and (place in pointed if comma else not pointed):
            raise UnreadableFile(
                f"{path}, line {unclear[0]}: the comma of {unclear[1]!r} may part decimals or thousands. "
                "Save the file with points for decimals and nothing between thousands."
            )
    if comma is None:
        return iter(whole)
    plain = {
        place
        for place, cells in figures.items()
        if place not in pointed
        and all(_DECIMAL_COMMA.match(c) or _GROUPED_BY_POINTS.match(c) for _, c in cells if not c.isdigit())
    }
    return ((line, [_plain(cell) if place in plain else cell for place, cell in enumerate(row)]) for line, row in whole)


def _plain(cell: str) -> str:
    figure = cell.strip()
    if not (_DECIMAL_COMMA.match(figure) or _GROUPED_BY_POINTS.match(figure)):
        return cell
    return re.sub(r"[.\s]", "", figure).replace(",", ".")


def folded(heading: str) -> str:
    """A heading without case, spaces and signs: `National Inv` and `national_inv` are the same."""
    return re.sub(r"[^a-z0-9]+", "_", heading.strip().lower()).strip("_")


def places_of(path: Path, header: Sequence[str], required: Sequence[str]) -> dict[str, int]:
    """Where each required column is, in any order, with other columns between, however its heading is written.

    Raises UnreadableFile that names every column that is not there with what comes next to it, or that is there twice.
    """
    names = [folded(name) for name in header]
    missing = [name for name in required if folded(name) not in names]
    if missing:
        known = ", ".join(repr(name) for name in header[:SHOWN_COLUMNS]) + (
            ", ..." if len(header) > SHOWN_COLUMNS else ""
        )
        raise UnreadableFile(
            f"{path}: the column{'s' * (len(missing) > 1)} {', '.join(missing)} cannot be found."
            f"{_guess(missing, [name for name in header if folded(name) not in map(folded, required)])}"
            + (f" Its columns: {known}." if header else " The file is empty.")
        )
    twice = sorted({name for name in required if names.count(folded(name)) > 1})
    if twice:
        raise UnreadableFile(f"{path}: the column {', '.join(twice)} is there more than once; keep one of them.")
    return {name: names.index(folded(name)) for name in required}


def _guess(missing: Sequence[str], others: Sequence[str]) -> str:
    """Headings that are nearly one of those that are missing."""
    plain = {folded(name): name for name in others}
    near = [
        f"{plain[close[0]]!r} as {name}"
        for name in missing
        if (close := difflib.get_close_matches(folded(name), list(plain), 1, 0.6))
    ]
    return f" Rename {', '.join(near)} if that is what it holds." if near else ""
