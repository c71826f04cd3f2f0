"""Opens CSV files, plain or gzipped, and says in one sentence why one cannot be used."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import BackorderManagerError


class UnreadableFile(BackorderManagerError):
    """The file is not in the layout, or cannot be opened; the message says what is missing."""


def read_text(path: Path) -> str:
    """The text of a file, gunzipped where needed; bytes that are no UTF-8 become U+FFFD. Raises UnreadableFile."""
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig", errors="replace")
    except (OSError, EOFError) as error:
        raise UnreadableFile(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None


def rows_of(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number (1 = heading) and cells of every line that is not blank. Raises UnreadableFile."""
    reader = csv.reader(io.StringIO(read_text(path).replace("\0", "")))
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise UnreadableFile(f"{path}, line {reader.line_num}: {error}.") from None


def require_columns(path: Path, header: Sequence[str], required: Sequence[str]) -> None:
    """Raises UnreadableFile that names every column that is not there, or that is there twice."""
    missing = [name for name in required if name not in header]
    if missing:
        raise UnreadableFile(f"{path}: the column{'s' * (len(missing) > 1)} {', '.join(missing)} cannot be found.")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise UnreadableFile(f"{path}: the column {', '.join(twice)} is there more than once.")
