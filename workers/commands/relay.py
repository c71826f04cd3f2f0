"""`relay`: the outbox relay in the foreground, against the servers of the environment."""

from __future__ import annotations

from workers.commands.worker import become


def relay() -> None:
    """Run the outbox relay; DATABASE_URL and REDIS_URL say where. More than one may run: one works, the others wait."""
    become("workers.relay")
