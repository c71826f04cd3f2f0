"""Why a received document has no effect as it stands."""

import pytest

from core.domain.edi_states import reason_of


@pytest.mark.parametrize(
    ("delivery", "state", "why", "note", "told"),
    [
        ("applied", None, None, None, None),
        ("applied", "replayed", "mismatch: 9; 10 are open.", None, None),
        ("received", "replayed", "mismatch: 9; 10 are open.", None, None),
        ("quarantined", "fixed", "mismatch: 9; 10 are open.", None, "mismatch: 9; 10 are open."),
        ("ignored", "ignored", "mismatch: 9; 10 are open.", "sent by mistake", "It was dropped: sent by mistake"),
        ("ignored", None, None, None, "It is marked as a test: tests are read and answered, and move nothing."),
        (
            "stale",
            None,
            None,
            None,
            "Something newer about the same was applied before it; it is kept and moves nothing.",
        ),
        ("repeated", None, None, None, "The same document was applied before, under the same control numbers."),
    ],
)
def test_the_reason_is_that_of_now(
    delivery: str, state: str | None, why: str | None, note: str | None, told: str | None
):
    assert reason_of(delivery, state, why, note) == told
