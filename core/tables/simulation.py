"""What-if questions and their answers."""

from datetime import datetime
from typing import Any

from core.domain.states import SimulationState
from core.tables import columns as c


class SimulationRun(c.Row, table=True):
    """Scenarios played on one snapshot; the result stands beside the question for ever."""

    __table_args__ = (c.one_of("state", SimulationState), c.check("(state = 'DONE') = (result is not null)", "result"))

    id: int | None = c.identity()
    name: str = c.text()
    state: str = c.text(default="COMPUTING")
    horizon_days: int = c.integer()
    seed: int = c.bigint(default=0)
    question: dict[str, Any] = c.json()
    result: dict[str, Any] | None = c.json(null=True)
    actor: str = c.text()
    error: str | None = c.text(null=True)
    snapshot_at: datetime | None = c.instant(null=True)
    finished_at: datetime | None = c.instant(null=True)
    version: int = c.integer(default=1)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()
