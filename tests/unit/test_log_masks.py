"""What errors quote of partners' and customers' data stays out of the log; where they arose does not."""

from workers.logs import mask, mask_values


def test_quoted_values_are_cut_to_their_first_letter():
    assert mask("There is no purchase order 'PO-4711' that you may see.") == (
        "There is no purchase order 'P***' that you may see."
    )
    assert mask('Key (code)=(Kim, Seoul) is "known to us"') == 'Key (code)=(***) is "k***"'
    assert mask("it's the partner's own") == "it's the partner's own"


def test_a_traceback_keeps_its_places_and_loses_what_the_error_says():
    trace = "Traceback (most recent call last):\n  File \"/app/core/x.py\", line 3\nValueError: bad value 'Kim Minseo'"
    found = mask_values(None, "error", {"event": "job failed", "exception": trace, "function": "ingest"})
    assert found["exception"].splitlines()[1] == '  File "/app/core/x.py", line 3'
    assert found["exception"].endswith("bad value 'K***'")
    assert found["function"] == "ingest"
