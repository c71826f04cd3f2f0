"""The rule that says which of two messages is the older one."""

from datetime import UTC, datetime

import pytest

from core.domain.sequences import is_older, newest, sequence_at

ANSWER = "20261103-20261103T090000-00000000000005-00000000000005-000001"
PORTAL = sequence_at(datetime(2026, 11, 3, 0, 30, tzinfo=UTC), "Asia/Seoul")


@pytest.mark.parametrize(
    ("said", "known", "older"),
    [
        ("20261103-20261103T090000-000000007-000000007-000001", ANSWER, False),  # written less wide
        (ANSWER, "20261103-20261103T090000-000000004-000000004-000001", False),
        ("20261103-20261103T090000-000000004-000000004-000001", ANSWER, True),
        (PORTAL, ANSWER, False),
        (ANSWER, PORTAL, True),
        (
            "20261103-20261103T100000-00000000000006-00000000000006-000001",
            PORTAL,
            False,
        ),  # later on the portal's own day
        (
            "20261103090000-20261103T090000-00000000000009-00000000000009-000001",
            ANSWER,
            False,
        ),  # a notice, then an answer
        (ANSWER, "20261103235900-20261103T080000-00000000000001-00000000000001-000001", False),
        ("20261102-20261104T090000-00000000000009-00000000000009-000001", ANSWER, True),  # newer file, older content
        ("", ANSWER, False),
        (ANSWER, None, False),
        ("20261103092000", PORTAL, True),  # what callers number themselves
    ],
)
def test_which_is_older(said: str, known: str | None, older: bool):
    assert is_older(said, known) is older


def test_the_newest_of_several():
    assert newest([None, ANSWER, "20261102-20261104T090000-1-1-1", ""]) == ANSWER
    assert newest([]) == ""
