"""Lots of one SKU: which units go first (FEFO), what expires before it can be used, and the counters of each lot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from core.domain.availability import Step
from core.domain.network import Network
from core.domain.records import Line, Lot, Movement
from core.domain.states import LotState
from core.errors import InvalidInput, InvariantBroken, QuantityExceeded

NEVER = date.max


@dataclass(slots=True)
class Lots:
    """The lots of a SKU that tracks them; `min_life` is the days of life left at delivery that the SKU asks for."""

    sku: str
    tracks_expiry: bool
    min_life: int
    network: Network
    now: datetime
    rows: list[Lot] = field(default_factory=list)
    by_customer: Mapping[int, int] = field(default_factory=dict)
    by_channel: Mapping[str, int] = field(default_factory=dict)
    """Days asked for by a customer or through a channel instead of `min_life`."""
    blocked: set[str] = field(default_factory=set)
    """Codes of lots that are quarantined somewhere: what arrives of them is not sellable."""

    def min_life_of(self, customer_id: int | None, channel: str, asked: int | None = None) -> int:
        """Days of life at delivery: the customer's own rule, else the channel's, else the SKU's; `asked` when it is more."""
        rule = self.by_customer.get(customer_id or 0, self.by_channel.get(channel, self.min_life))
        return max(rule, asked or 0)

    def min_life_for(self, line: Line) -> int:
        """As `min_life_of`, for an order line with what it asks for itself."""
        return self.min_life_of(line.customer_id, line.channel, line.min_life_days)

    def keep_days(self, location_id: int, destination_id: int | None, min_life: int) -> int:
        """Days after leaving during which a lot must live: the way to the customer, then `min_life`."""
        if not self.tracks_expiry:
            return 0
        ship = self.network.first_ship_day(location_id, self.now)
        delivery = self.network.delivery_date(location_id, destination_id, ship) or ship
        return (delivery - self.network.today(location_id, self.now)).days + min_life

    def keep_of(self, location_id: int, line: Line) -> int:
        """As `keep_days`, for an order line."""
        return self.keep_days(location_id, line.destination_id, self.min_life_for(line))

    # --- reading ---------------------------------------------------------------------------------------------------

    def at(self, location_id: int) -> list[Lot]:
        """Lots with units at the location, first expired first, then oldest first."""
        found = [lot for lot in self.rows if lot.location_id == location_id and lot.on_hand]
        return sorted(found, key=lambda lot: (lot.expires_on or NEVER, lot.id or 1 << 62, lot.code))

    def find(self, location_id: int, code: str) -> Lot | None:
        return next((lot for lot in self.rows if lot.location_id == location_id and lot.code == code), None)

    def fitting(self, location_id: int, keep_days: int) -> list[Lot]:
        """Lots with free units that still live `keep_days` from today on, FEFO."""
        last = self.network.today(location_id, self.now) + timedelta(days=keep_days)
        return [lot for lot in self.at(location_id) if lot.available and (lot.expires_on or NEVER) >= last]

    def free(self, location_id: int, keep_days: int) -> int:
        """Free units of the fitting lots."""
        return sum(lot.available for lot in self.fitting(location_id, keep_days))

    def pick(self, location_id: int, quantity: int, keep_days: int) -> list[tuple[Lot, int]]:
        """Up to `quantity` units, first expired first."""
        picked: list[tuple[Lot, int]] = []
        for lot in self.fitting(location_id, keep_days):
            units = min(quantity, lot.available)
            if units <= 0:
                break
            picked.append((lot, units))
            quantity -= units
        return picked

    def expiring(self, location_id: int, keep_days: int) -> list[Step]:
        """Free units by the first day on which they can no longer serve."""
        if not self.tracks_expiry:
            return []
        return [
            (lot.expires_on - timedelta(days=keep_days - 1), lot.available)
            for lot in self.rows
            if lot.location_id == location_id and lot.available and lot.expires_on is not None
        ]

    # --- changing --------------------------------------------------------------------------------------------------

    def open(self, location_id: int, code: str, expires_on: date | None, path: tuple[str, ...] = ()) -> Lot:
        """The lot with this code at the location, made when it is new.

        Raises InvalidInput when another expiry is known for the code, or none is given where the SKU tracks it.
        """
        twin = next((lot for lot in self.rows if lot.code == code and lot.expires_on is not None), None)
        known = twin.expires_on if twin is not None else None
        if expires_on is not None and known not in (None, expires_on):
            raise InvalidInput(
                f"Lot {code!r} of SKU {self.sku!r} expires on {known}, not on {expires_on}.",
                path=(*path, "expiresOn"),
                value=expires_on.isoformat(),
            )
        if self.tracks_expiry and expires_on is None and known is None:
            raise InvalidInput(
                f"SKU {self.sku!r} tracks expiry: say on which day lot {code!r} expires.", path=(*path, "expiresOn")
            )
        lot = self.find(location_id, code)
        if lot is None:
            lot = Lot(None, location_id, code, expires_on or known, is_new=True)
            self.rows.append(lot)
        return lot

    def lasting(self, location_id: int) -> Lot:
        """A lot without a last day, for what arrives in a book that is only played."""
        lot = self.find(location_id, "")
        if lot is None:
            lot = Lot(None, location_id, "", is_new=True)
            self.rows.append(lot)
        return lot

    def apply(self, movement: Movement) -> None:
        """Change the counters of the movement's lot by its figures. Raises QuantityExceeded when one turns illegal."""
        lot = movement.lot
        if lot is None or lot.location_id != movement.location_id:
            raise InvariantBroken("movement_of_a_lot", (self.sku, movement.kind, movement.location_id))
        on_hand = lot.on_hand + movement.on_hand
        unsellable = lot.unsellable + movement.unsellable
        allocated = lot.allocated + movement.allocated
        if min(on_hand, unsellable, allocated) < 0 or allocated + unsellable > on_hand:
            wanted = max(abs(movement.on_hand), abs(movement.allocated), abs(movement.unsellable))
            raise QuantityExceeded(f"of lot {lot.code!r} of SKU {self.sku} free here", wanted, lot.available)
        lot.on_hand, lot.unsellable, lot.allocated = on_hand, unsellable, allocated

    def mark(self, lot: Lot, state: LotState) -> None:
        """Say what the lot is; its units are moved by their movements."""
        lot.state, lot.is_changed = state, True
        if state == LotState.QUARANTINED:
            self.blocked.add(lot.code)
