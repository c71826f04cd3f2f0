"""Small charts as SVG text, for people who look rather than read: points against a line, and bars against a target."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT, MARGIN = 640, 400, 60
SLANTED_FROM = 6
"""From so many bars on their names are slanted, and cut where they would leave the picture."""
LONGEST_NAME = 10
_FONT = 'font-family="sans-serif" font-size="12"'


def points_chart(
    title: str, x_label: str, y_label: str, points: Sequence[tuple[float, float]], highest: float | None = None
) -> str:
    """(said, came) points, joined, against the diagonal where both are equal; axes from 0 to `highest` of all."""
    top = highest or max([value for point in points for value in point] + [1e-9]) * 1.05
    places = [(_x(x / top), _y(y / top)) for x, y in points]
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    body = [
        f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="#999" stroke-dasharray="4"/>',
        f'<polyline points="{joined}" fill="none" stroke="#06c" stroke-width="2"/>',
        *[f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#06c"/>' for x, y in places],
        *[_text(_x(part), _y(0) + 18, f"{top * part:.3g}", "middle") for part in (0, 0.5, 1)],
        *[_text(_x(0) - 8, _y(part) + 4, f"{top * part:.3g}", "end") for part in (0, 0.5, 1)],
    ]
    return _frame(title, x_label, y_label, body)


def bars_chart(title: str, y_label: str, bars: Sequence[tuple[str, float]], target: float | None = None) -> str:
    """One bar per name, from 0 to 1 or the highest; a line where the `target` lies."""
    top = max([value for _, value in bars] + [target or 0, 1e-9])
    top = 1.0 if top <= 1 else top * 1.05
    step = 1 / max(1, len(bars))
    body = []
    for place, (name, value) in enumerate(bars):
        left, width = _x(place * step + step * 0.15), (_x(step * 0.7) - _x(0))
        body.append(
            f'<rect x="{left:.1f}" y="{_y(value / top):.1f}" width="{width:.1f}" height="{_y(0) - _y(value / top):.1f}" fill="#06c">'
            f"<title>{escape(name)}: {value:.3g}</title></rect>"
        )
        body.append(_name(left + width / 2, name, len(bars) >= SLANTED_FROM))
        body.append(_text(left + width / 2, _y(value / top) - 4, f"{value:.3g}", "middle"))
    if target is not None:
        at = _y(target / top)
        body.append(f'<line x1="{_x(0)}" y1="{at:.1f}" x2="{_x(1)}" y2="{at:.1f}" stroke="#c00" stroke-dasharray="4"/>')
        body.append(_text(_x(1), at - 4, f"{target:g}", "end"))
    return _frame(title, "", y_label, body)


def _x(share: float) -> float:
    return MARGIN + share * (WIDTH - 2 * MARGIN)


def _y(share: float) -> float:
    return HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN)


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {_FONT}>{escape(text)}</text>'


def _name(x: float, name: str, slanted: bool) -> str:
    if not slanted:
        return _text(x, _y(0) + 18, name, "middle")
    short = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
    return f'<g transform="translate({x:.1f} {_y(0) + 12:.1f}) rotate(-35)">{_text(0, 0, short, "end")}</g>'


def _frame(title: str, x_label: str, y_label: str, body: Sequence[str]) -> str:
    frame = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        _text(WIDTH / 2, 24, title, "middle"),
        _text(WIDTH / 2, HEIGHT - 14, x_label, "middle"),
        f'<g transform="translate(18 {HEIGHT / 2}) rotate(-90)">{_text(0, 0, y_label, "middle")}</g>',
        f'<path d="M{_x(0)} {_y(1)}V{_y(0)}H{_x(1)}" fill="none" stroke="#333"/>',
        *body,
        "</svg>",
    ]
    return "\n".join(frame) + "\n"
