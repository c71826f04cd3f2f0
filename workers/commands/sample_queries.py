"""Three queries to paste, on SKUs that exist."""

from __future__ import annotations

import json
from collections.abc import Sequence


def sample_queries(skus: Sequence[str], ship_to: tuple[str, str] | None = None) -> list[tuple[str, str]]:
    """(what it asks, the GraphQL document); each needs no more than the ADMIN token. `ship_to`: country, postal code."""
    target = ""
    if ship_to is not None:
        country, postal_code = (json.dumps(part) for part in ship_to)
        target = f", shipTo: {{ country: {country}, postalCode: {postal_code} }}"
    return [
        (
            "When could a customer have five of each, and from where?",
            f"""{{
  availability(skus: {json.dumps(list(skus))}, quantity: 5{target}) {{
    sku {{ code }}
    state
    availableNow
    promise {{ complete deliveryDate {{ expected basis }} slices {{ quantity location {{ code }} shipDate {{ expected }} }} }}
  }}
}}""",
        ),
        (
            "Who is waiting, since when, and why?",
            """{
  backorders(first: 10) {
    edges { node { id quantity state cause openedAt expected { expected basis } orderLine { lineNumber ordered } } }
  }
}""",
        ),
        (
            "What is on order, and what is promised to whom from it?",
            """{
  purchaseOrders(first: 10) {
    edges { node { number status supplier { code } lines { lineNumber sku { code } ordered received ordersWaiting } } }
  }
}""",
        ),
    ]
