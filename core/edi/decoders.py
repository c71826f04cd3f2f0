"""Which decoder turns which kind of document into which of ours: sets of X12 and messages of EDIFACT."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from core.edi.decode_214 import decode_214
from core.edi.decode_810 import decode_810
from core.edi.decode_824 import decode_824
from core.edi.decode_846 import decode_846
from core.edi.decode_850 import decode_850
from core.edi.decode_855 import decode_855
from core.edi.decode_856 import decode_856
from core.edi.decode_860 import decode_860, decode_865
from core.edi.decode_861 import decode_861
from core.edi.decode_940 import decode_940, decode_945
from core.edi.decode_997 import decode_997
from core.edi.decode_aperak import decode_aperak
from core.edi.decode_contrl import decode_contrl
from core.edi.decode_desadv import decode_desadv
from core.edi.decode_iftsta import decode_iftsta
from core.edi.decode_invoic import decode_invoic
from core.edi.decode_invrpt import decode_invrpt
from core.edi.decode_orders import decode_ordchg, decode_orders
from core.edi.decode_ordrsp import decode_ordrsp
from core.edi.decode_recadv import decode_recadv
from core.edi.documents import Decoded
from core.edi.guide import PartnerGuide
from core.edi.interchanges import TransactionSet
from core.edi.order_numbers import with_our_numbers

Decoder = Callable[[TransactionSet, PartnerGuide], Decoded[Any]]

_PLAIN: dict[str, Decoder] = {
    "850": decode_850,
    "855": decode_855,
    "856": decode_856,
    "214": decode_214,
    "860": decode_860,
    "865": decode_865,
    "846": decode_846,
    "810": decode_810,
    "940": decode_940,
    "945": decode_945,
    "861": decode_861,
    "824": decode_824,
    "997": lambda document, _: decode_997(document),
    "999": lambda document, _: decode_997(document),
    "ORDERS": decode_orders,
    "ORDCHG": decode_ordchg,
    "ORDRSP": decode_ordrsp,
    "DESADV": decode_desadv,
    "IFTSTA": decode_iftsta,
    "INVRPT": decode_invrpt,
    "RECADV": decode_recadv,
    "APERAK": decode_aperak,
    "INVOIC": decode_invoic,
    "CONTRL": decode_contrl,
}


def _by_guide(decode: Decoder) -> Decoder:
    def decoded(document: TransactionSet, guide: PartnerGuide) -> Decoded[Any]:
        found = decode(document, guide)
        return replace(found, document=with_our_numbers(found.document, guide))

    return decoded


DECODERS: dict[str, Decoder] = {kind: _by_guide(decode) for kind, decode in _PLAIN.items()}
