"""855 in all its dialects. No public 855 shows a partial backorder in most of these encodings: written for this project."""

from datetime import date

import pytest

from core.edi.decode_855 import decode_855
from core.edi.documents import AcknowledgedLine, Effect
from core.edi.guide import DEFAULT_GUIDE, LineKey, PartialBackorder, PartialDate, PartnerGuide, Remainder
from core.edi.reader import read
from core.edi.resolve_acknowledgement import OpenLine, resolve_acknowledgement
from core.edi.resolve_line import Portion, resolve_line

ISA = "ISA*00*          *00*          *ZZ*SUPPLIER       *ZZ*BACKORDER      *261120*1030*U*00401*000000007*0*P*>~"
SOON, LATER = date(2026, 12, 1), date(2026, 12, 15)


def decode(body: str, guide: PartnerGuide = DEFAULT_GUIDE):
    body = body.strip("~")
    text = f"{ISA}GS*PR*SUP*US*20261120*1030*7*X*004010~ST*855*0001~{body}~SE*{body.count('~') + 3}*0001~GE*1*7~IEA*1*000000007~"
    (document,) = read(text.encode()).interchanges[0].groups[0].sets
    assert document.faults == ()
    return decode_855(document, guide)


def line(*acks: str, guide: PartnerGuide = DEFAULT_GUIDE, extra: str = "") -> AcknowledgedLine:
    body = f"BAK*00*AC*PO1*20261119****SO9*20261120~PO1*1*10*EA***BP*SKU1*VP*V1{extra}~" + "~".join(acks)
    decoded = decode(body, guide)
    assert decoded.document is not None
    return decoded.document.lines[0]


def resolved(*acks: str, open_quantity: int = 10, guide: PartnerGuide = DEFAULT_GUIDE):
    return resolve_line(open_quantity, line(*acks, guide=guide), guide, "AC")


def parts(portions: tuple[Portion, ...]) -> list[tuple[int, date | None]]:
    return [(portion.quantity, portion.date) for portion in portions]


def test_a_whole_acknowledgement():
    decoded = decode(
        "BAK*00*AC*PO-0001 *20261119****SO9*20261120~DTM*069*20261202~PO1*1*10*EA*2.5**BP*SKU1*VP*V1*UP*012345678905"
        "~ACK*IA*6*EA*067*20261201~ACK*IB*4*EA*067*20261215~CTT*1"
    )
    document = decoded.document
    assert decoded.faults == ()
    assert document is not None
    assert (document.po_number, document.header_type, document.acknowledged_on, document.supplier_reference) == (
        "PO-0001",
        "AC",
        date(2026, 11, 20),
        "SO9",
    )
    assert document.sequence == "20261120-20261120T103000-00000000000007-00000000000007-000001"
    assert document.dates == (("069", date(2026, 12, 2)),)
    (only,) = document.lines
    assert (only.line_key, only.po_line_number, only.buyer_sku, only.vendor_code, only.gtin) == (
        "1",
        "1",
        "SKU1",
        "V1",
        "012345678905",
    )
    assert (only.ordered, only.unit) == (10, "EA")
    assert [(s.code, s.quantity, s.date, s.date_qualifier, s.effect, s.segment_number) for s in only.statuses] == [
        ("IA", 6, SOON, "067", Effect.ACCEPT, 5),
        ("IB", 4, LATER, "067", Effect.BACKORDER, 6),
    ]


def test_six_accepted_and_four_backordered_with_a_later_date():
    outcome = resolved("ACK*IA*6*EA*067*20261201", "ACK*IB*4*EA*067*20261215")
    assert parts(outcome.accepted) == [(6, SOON)]
    assert parts(outcome.backordered) == [(4, LATER)]
    assert (outcome.rejected, outcome.held, outcome.mismatch) == (0, 0, None)


@pytest.mark.parametrize(
    ("encoding", "acks", "accepted", "backordered"),
    [
        (PartialBackorder.PARTIAL_WITH_ACCEPTED, ["ACK*BP*6*EA*067*20261201"], [(6, SOON)], [(4, None)]),
        (PartialBackorder.BACKORDER_ALONE, ["ACK*IB*4*EA*067*20261215"], [(6, None)], [(4, LATER)]),
        (
            PartialBackorder.ACCEPT_AND_BACKORDER,
            ["ACK*IA*6*EA*067*20261201", "ACK*IB*4*EA*067*20261215"],
            [(6, SOON)],
            [(4, LATER)],
        ),
        (
            PartialBackorder.PARTIAL_AND_BACKORDER,
            ["ACK*BP*6*EA*067*20261201", "ACK*IB*4*EA*067*20261215"],
            [(6, SOON)],
            [(4, LATER)],
        ),
        (PartialBackorder.PARTIAL_WITH_BACKORDERED, ["ACK*BP*4*EA*067*20261201"], [(6, SOON)], [(4, None)]),
    ],
)
def test_five_encodings_of_six_now_and_four_later(encoding, acks, accepted, backordered):
    outcome = resolved(*acks, guide=PartnerGuide(partial_backorder_encoding=encoding))
    assert (parts(outcome.accepted), parts(outcome.backordered), outcome.mismatch) == (accepted, backordered, None)


def test_the_date_of_a_partial_can_be_that_of_the_balance():
    outcome = resolved("ACK*BP*6*EA*067*20261215", guide=PartnerGuide(partial_date=PartialDate.BALANCE))
    assert (parts(outcome.accepted), parts(outcome.backordered)) == ([(6, None)], [(4, LATER)])


def test_a_lone_backorder_of_a_part_is_a_mismatch_unless_the_guide_says_what_it_means():
    assert resolved("ACK*IB*4*EA*067*20261215").mismatch == "The statuses add up to 4; 10 are open."


@pytest.mark.parametrize("amount", ["", "*0*EA"])
def test_backorder_without_a_quantity_is_all_that_is_left(amount: str):
    assert parts(resolved(f"ACK*IB{amount}").backordered) == [(10, None)]
    both = resolved("ACK*IA*6*EA", f"ACK*IB{amount}")
    assert (parts(both.accepted), parts(both.backordered), both.mismatch) == ([(6, None)], [(4, None)], None)


def test_backorder_that_repeats_the_ordered_quantity_needs_the_guides_flag():
    acks = ("ACK*IA*6*EA", "ACK*IB*10*EA")
    assert resolved(*acks).mismatch == "The statuses add up to 16; 10 are open."
    outcome = resolved(*acks, guide=PartnerGuide(ib_quantity_is_ordered=True))
    assert (parts(outcome.accepted), parts(outcome.backordered), outcome.mismatch) == ([(6, None)], [(4, None)], None)


@pytest.mark.parametrize(
    ("policy", "rejected", "backordered", "mismatch"),
    [
        (Remainder.CANCEL, 3, 0, None),
        (Remainder.BACKORDER, 0, 3, None),
        (Remainder.REVIEW, 0, 0, "The supplier changed the quantity to 7; what becomes of 3 needs a decision."),
    ],
)
def test_changed_quantity(policy, rejected, backordered, mismatch):
    outcome = resolved("ACK*IQ*7*EA*067*20261201", guide=PartnerGuide(iq_policy=policy))
    assert parts(outcome.accepted) == [(7, SOON)]
    assert (outcome.rejected, outcome.backordered_quantity, outcome.mismatch) == (rejected, backordered, mismatch)


@pytest.mark.parametrize(
    ("ack", "accepted", "backordered", "rejected", "held"),
    [
        ("ACK*IA", [(10, None)], 0, 0, 0),
        ("ACK*AC*10*EA*011*20261120", [(10, date(2026, 11, 20))], 0, 0, 0),
        ("ACK*DR*10*EA*067*20261215", [(10, LATER)], 0, 0, 0),
        ("ACK*IP*10*EA*067*20261201", [(10, SOON)], 0, 0, 0),
        ("ACK*SP*10*EA*067*20261201", [(10, None)], 0, 0, 0),
        ("ACK*IC*10*EA*067*20261201", [(10, SOON)], 0, 0, 0),
        ("ACK*IS*10*EA****VP*V2", [], 0, 0, 10),
        ("ACK*IH", [], 0, 0, 10),
        ("ACK*ID", [], 0, 10, 0),
        ("ACK*IR*10*EA", [], 0, 10, 0),
        ("ACK*R2", [], 0, 10, 0),
    ],
)
def test_each_status_has_its_effect(ack, accepted, backordered, rejected, held):
    outcome = resolved(ack)
    assert parts(outcome.accepted) == accepted
    assert (outcome.backordered_quantity, outcome.rejected, outcome.held, outcome.mismatch) == (
        backordered,
        rejected,
        held,
        None,
    )


def test_accepted_with_changes_but_without_any_change_goes_to_review():
    assert resolved("ACK*IC").mismatch == "The line is accepted with changes (IC), but no change was found in it."


def test_a_wish_of_ours_is_never_an_estimate():
    assert parts(resolved("ACK*IA*10*EA*002*20261201").accepted) == [(10, None)]


def test_promised_ship_dates_are_told_from_delivery_dates():
    (portion,) = resolved("ACK*IA*10*EA*068*20261201").accepted
    assert (portion.date, portion.is_ship_date) == (SOON, True)


def test_unknown_status_is_reviewed_until_the_code_map_knows_it():
    decoded = decode("BAK*00*AC*PO1*20261119~PO1*1*10*EA***BP*SKU1~ACK*Z9*10*EA")
    assert [(fault.code, fault.segment_number, fault.value) for fault in decoded.faults] == [("line_status", 4, "Z9")]
    assert resolved("ACK*Z9*10*EA").mismatch == "The line status 'Z9' is not known for this partner."
    outcome = resolved("ACK*Z9*10*EA", guide=PartnerGuide(code_map={"Z9": "IB"}))
    assert (outcome.backordered_quantity, outcome.mismatch) == (10, None)


def test_the_open_quantity_counts_not_the_ordered_one():
    assert resolved("ACK*IA*10*EA", open_quantity=8).mismatch == "The statuses add up to 10; 8 are open."
    tolerant = resolved("ACK*IA*10*EA", open_quantity=8, guide=PartnerGuide(quantity_tolerance=2))
    assert (parts(tolerant.accepted), tolerant.mismatch) == ([(8, None)], None)
    assert tolerant.notes == ("The statuses add up to 10, within the tolerance; 8 are open and counted.",)
    assert resolved("ACK*IB*10*EA", open_quantity=8, guide=PartnerGuide(quantity_tolerance=2)).mismatch is not None


def test_units_are_turned_into_base_units_or_stop_the_document():
    in_cases = line("ACK*IA*2*CA", guide=PartnerGuide(unit_map={"CA": 5}))
    assert in_cases.statuses[0].quantity == 10
    body = "BAK*00*AC*PO1*20261119~PO1*1*10*EA***BP*SKU1~ACK*IA*2*CA"
    decoded = decode(body)
    assert decoded.document is None
    assert [(fault.code, fault.segment_number, fault.element) for fault in decoded.faults] == [("unit", 4, 3)]
    half = decode(body.replace("2*CA", "2.5*EA"))
    assert (half.document, half.faults[0].value) == (None, "2.5")
    assert line("ACK*IA*10.00*EA").statuses[0].quantity == 10


def test_a_date_segment_under_the_status_is_its_date():
    assert line("ACK*IB*4*EA", "DTM*002*20261130", "DTM*069*20261215").statuses[0].date == LATER


@pytest.mark.parametrize(
    ("tolerance", "said", "fits"), [(0, 10, True), (0, 9, False), (0, 11, False), (2, 8, True), (2, 7, False)]
)
def test_statuses_add_up_to_what_is_open_within_the_tolerance(tolerance: int, said: int, fits: bool):
    outcome = resolved(f"ACK*IA*{said}*EA", guide=PartnerGuide(quantity_tolerance=tolerance))
    assert (outcome.mismatch is None) is fits


def test_what_is_said_of_sublines_is_not_said_of_the_line():
    said = line("ACK*IA*10*EA", "SLN*1**A*5*EA", "DTM*067*20261215", "ACK*IB*5*EA*067*20261215", "REF*LI*7")
    assert [(status.code, status.quantity, status.date) for status in said.statuses] == [("IA", 10, None)]


def test_a_line_of_which_only_sublines_are_answered_is_not_settled_by_the_header():
    body = "BAK*00*AD*PO1*20261119~PO1*1*10*EA***BP*SKU1~SLN*1**I*2*EA~ACK*IR*10*EA"
    decoded = decode(body)
    assert [(fault.code, fault.segment, fault.segment_number) for fault in decoded.faults] == [
        ("line_status", "SLN", 4)
    ]
    (outcome,) = whole(body, lines=OPEN[:1]).outcomes
    assert (outcome.accepted_quantity, "Only sublines" in (outcome.mismatch or "")) == (0, True)


def test_a_date_under_one_status_is_not_that_of_another():
    outcome = resolved("ACK*IA*6*EA", "ACK*IB*4*EA", "DTM*067*20261215")
    assert (parts(outcome.accepted), parts(outcome.backordered)) == ([(6, None)], [(4, LATER)])


def test_a_delivery_schedule_cuts_an_accepted_line_into_its_parts():
    acks = ("ACK*IA*10*EA", "SCH*6*EA***067*20261201", "SCH*4*EA***067*20261215")
    assert parts(resolved(*acks).accepted) == [(6, SOON), (4, LATER)]
    body = "BAK*00*AC*PO1*20261119~PO1*1*10*EA***BP*SKU1~ACK*IA*10*EA~SCH*6*EA***067*20261201"
    decoded = decode(body)
    assert [(fault.code, fault.segment_number) for fault in decoded.faults] == [("schedule", 5)]
    assert decoded.document is not None
    assert [status.quantity for status in decoded.document.lines[0].statuses] == [10]


OPEN = [OpenLine(1, 10, "SKU1", "V1"), OpenLine(2, 5, "SKU2", "V2", "012345678905")]


def whole(body: str, guide: PartnerGuide = DEFAULT_GUIDE, lines=OPEN):
    document = decode(body, guide).document
    assert document is not None
    return resolve_acknowledgement(lines, document, guide)


@pytest.mark.parametrize(
    ("header", "accepted", "rejected", "held", "answered"),
    [
        ("AK", [10, 5], 0, 0, True),
        ("AT", [10, 5], 0, 0, True),
        ("AE", [10, 5], 0, 0, True),
        ("RJ", [0, 0], 15, 0, True),
        ("AH", [0, 0], 0, 15, True),
        ("AD", [0, 0], 0, 0, False),
        ("RD", [0, 0], 0, 0, False),
        ("NA", [0, 0], 0, 0, False),
    ],
)
def test_silence_follows_the_header(header, accepted, rejected, held, answered):
    resolution = whole(f"BAK*00*{header}*PO1*20261119")
    assert [outcome.accepted_quantity for outcome in resolution.outcomes] == accepted
    assert sum(outcome.rejected for outcome in resolution.outcomes) == rejected
    assert sum(outcome.held for outcome in resolution.outcomes) == held
    assert {outcome.answered for outcome in resolution.outcomes} == {answered}
    assert all(portion.date is None for outcome in resolution.outcomes for portion in outcome.accepted)


def test_header_map_of_the_guide():
    assert whole("BAK*00*NA*PO1*20261119", PartnerGuide(header_map={"NA": "AK"})).outcomes[0].accepted_quantity == 10


def test_exceptions_only_accepts_what_is_not_listed():
    resolution = whole("BAK*00*AE*PO1*20261119~PO1*2*5*EA***BP*SKU2~ACK*IB*5*EA*067*20261215")
    first, second = resolution.outcomes
    assert (first.line_number, first.accepted_quantity) == (1, 10)
    assert (second.line_number, parts(second.backordered)) == (2, [(5, LATER)])


def test_the_line_wins_over_the_header_and_it_is_said():
    outcome = whole("BAK*00*AT*PO1*20261119~PO1*1*10*EA~ACK*IB*10*EA").outcomes[0]
    assert outcome.backordered_quantity == 10
    assert outcome.notes == ("The header says AT (accepted), the line does not: the line holds.",)


def test_header_date_is_the_date_of_accepted_quantities_only():
    resolution = whole("BAK*00*AC*PO1*20261119~DTM*017*20261130~DTM*067*20261201~PO1*1*10*EA~ACK*IA*6*EA~ACK*IB*4*EA")
    outcome = resolution.outcomes[0]
    assert (parts(outcome.accepted), parts(outcome.backordered)) == ([(6, SOON)], [(4, None)])


@pytest.mark.parametrize(
    ("po1", "matches"),
    [
        ("PO1*1*10*EA", [1]),
        ("PO1*0002*5*EA", [2]),
        ("PO1*item-1*10*EA***BP*SKU1", [1]),
        ("PO1**5*EA***UP*12345678905", [2]),
        ("PO1**5*EA***VP*V2", [2]),
        ("PO1*1*10*EA***BP*SKU2", []),
        ("PO1*77*10*EA", []),
        ("PO1*1*10*EA***VP*V2", []),
        ("PO1*2*5*EA***UP*036000291452", []),
        ("PO1*2*5*EA***UP*036000291452*VP*V1", []),
        ("PO1*1*10*EA***UP*036000291452", [1]),  # ours has no GTIN
        ("PO1*2*5*EA***UP*036000291452*VP*v2", [2]),
        ("PO1*2*5*EA***UK*10012345678902", [2]),  # the GTIN of a case of them
        ("PO1*1*10*EA***BP*SKU1*VP*NEW", [1]),
    ],
)
def test_lines_are_matched_by_number_then_item_then_gtin_then_vendor_code(po1, matches):
    resolution = whole(f"BAK*00*AC*PO1*20261119~{po1}~ACK*IA")
    assert [outcome.line_number for outcome in resolution.outcomes if outcome.line is not None] == matches
    assert len(resolution.unmatched) == (0 if matches else 1)


def test_two_loops_for_one_line_count_together_each_with_its_own_day():
    loops = [f"PO1*1*{units}*EA***BP*SKU1~ACK*IA*{units}*EA~" for units in (6, 4)]
    days = [loop.replace("~ACK", f"~DTM*067*{on:%Y%m%d}~ACK") for loop, on in zip(loops, (SOON, LATER), strict=True)]
    outcome = whole("BAK*00*AC*PO1*20261119~" + "".join(days)).outcomes[0]
    assert parts(outcome.accepted) == [(6, SOON), (4, LATER)]


def test_two_candidates_are_reviewed_never_the_first_taken():
    twice = [OpenLine(1, 10, "SKU1"), OpenLine(2, 10, "SKU1")]
    resolution = whole("BAK*00*AC*PO1*20261119~PO1**10*EA***BP*SKU1~ACK*IA", lines=twice)
    assert resolution.unmatched == ("Line 'SKU1' of the acknowledgement matches 2 lines of ours.",)
    assert [outcome.answered for outcome in resolution.outcomes] == [False, False]


def test_the_guide_declares_the_line_key():
    guide = PartnerGuide(line_key=LineKey.BUYER_SKU)
    body = "BAK*00*AC*PO1*20261119~PO1*1*5*EA***BP*SKU2~ACK*IA"
    assert [found.line_number for found in whole(body, guide).outcomes if found.line] == [2]
    document = decode(body, guide).document
    assert document is not None
    assert document.lines[0].line_key == "SKU2"


@pytest.mark.parametrize(
    ("line", "guide"),
    [
        ("PO1*907*5*EA***PL*2", PartnerGuide()),
        ("PO1*907*5*EA***VP*V1~REF*LI*2", PartnerGuide(line_reference="LI")),
    ],
)
def test_a_line_that_is_numbered_otherwise_says_which_of_ours_it_is(line: str, guide: PartnerGuide):
    document = decode(f"BAK*00*AC*PO1*20261119~{line}~ACK*IA", guide).document
    assert document is not None
    assert (document.lines[0].line_key, document.lines[0].po_line_number) == ("2", "2")


def test_two_loops_for_one_line_count_together():
    body = "BAK*00*AC*PO1*20261119~PO1*1*6*EA~ACK*IA*6*EA~PO1*1*4*EA~ACK*IB*4*EA"
    outcome = whole(body).outcomes[0]
    assert (outcome.accepted_quantity, outcome.backordered_quantity, outcome.mismatch) == (6, 4, None)


def test_an_acknowledgement_without_an_order_number_is_no_document():
    text = (
        f"{ISA}GS*PR*SUP*US*20261120*1030*7*X*004010~ST*855*0001~BAK*00*AC**20261119~SE*3*0001~GE*1*7~IEA*1*000000007~"
    )
    (document,) = read(text.encode()).interchanges[0].groups[0].sets
    assert decode_855(document).document is None
