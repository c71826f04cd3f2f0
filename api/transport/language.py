"""The language of messages, from `Accept-Language`."""

from __future__ import annotations

from functools import lru_cache

LANGUAGES = ("en", "ko")


@lru_cache(maxsize=256)
def preferred_language(accept_language: str | None) -> str:
    """The supported language the client wants most (quality, then order); English when it names none of them."""
    best: tuple[float, int] | None = None
    chosen = LANGUAGES[0]
    for index, part in enumerate((accept_language or "").split(",")[:20]):
        tag, _, parameter = part.partition(";")
        language = tag.strip().partition("-")[0].lower()
        try:
            quality = float(parameter.partition("=")[2]) if "=" in parameter else 1.0
        except ValueError:
            quality = 0.0
        if language in LANGUAGES and quality > 0 and (best is None or (quality, -index) > best):
            best, chosen = (quality, -index), language
    return chosen
