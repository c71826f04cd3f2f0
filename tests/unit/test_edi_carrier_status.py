"""214: shipment, orders and events; a delay carries its reason and the new day of delivery."""

from datetime import date, datetime

from core.edi.decode_214 import decode_214
from core.edi.reader import read

ISA = "ISA*00*          *00*          *ZZ*CARRIER        *ZZ*BACKORDER      *261120*1030*U*00401*000000007*0*P*>~"


def status(body: str):
    text = f"{ISA}GS*QM*SUP*US*20261120*1030*7*X*004010~ST*214*0001~{body}~SE*{body.count('~') + 3}*0001~GE*1*7~IEA*1*000000007~"
    (document,) = read(text.encode()).interchanges[0].groups[0].sets
    assert document.faults == ()
    decoded = decode_214(document)
    assert decoded.faults == ()
    assert decoded.document is not None
    return decoded.document


def test_a_delay_with_reason_and_new_day():
    found = status(
        "B10*PRO77*ASN1*UPSN~L11*1Z999*2I~L11*PO1*PO~L11*PO2*PO~LX*1~AT7*SD*BG***20261130*0815*LT~MS1*SAN FRANCISCO*CA*US"
        "~LX*2~AT7*AG*BG***20261209*1700*LT"
    )
    assert (found.reference, found.shipment, found.carrier, found.tracking) == ("PRO77", "ASN1", "UPSN", "1Z999")
    assert found.po_numbers == ("PO1", "PO2")
    delay, estimate = found.events
    assert (delay.status_code, delay.reason, delay.at, delay.estimated_date, delay.time_code, delay.place) == (
        "SD",
        "BG",
        datetime(2026, 11, 30, 8, 15),
        None,
        "LT",
        "SAN FRANCISCO, CA, US",
    )
    assert (estimate.status_code, estimate.at, estimate.estimated_date) == ("AG", None, date(2026, 12, 9))


def test_delay_with_the_estimate_in_g62():
    found = status("B10*PRO77*ASN1*UPSN~N1*ST*US~G62*17*20261209~LX*1~AT7*SD*BG***20261130*0815")
    assert found.events[0].estimated_date == date(2026, 12, 9)
    assert found.tracking == "PRO77"


def test_list_432_is_not_list_374():
    assert status("B10*PRO77*ASN1*UPSN~N1*ST*US~G62*67*20261209~LX*1~AT7*D1*NS***20261130*0815").estimated_date is None


def test_appointments_and_orders_of_prf():
    found = status("B10**ASN1*UPSN~LX*1~AT7***AA*NA*20261130*0830~PRF*PO9")
    assert (found.events[0].status_code, found.events[0].appointment, found.events[0].reason) == ("", "AA", "NA")
    assert found.po_numbers == ("PO9",)
