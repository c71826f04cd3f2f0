"""What happened, step by step: printed as a timeline, kept for programs, and stopped at the first step that is wrong."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from rich.console import Console
from rich.text import Text


class StepFailed(Exception):
    """A step is not what it should be; the text names the step, what was expected and what came."""

    def __init__(self, step: str, what: str, expected: object, came: object) -> None:
        super().__init__(f"{step}: {what}\n  expected  {_plain(expected)}\n  came      {_plain(came)}")
        self.step, self.what = step, what
        self.expected, self.came = _plain(expected), _plain(came)


@dataclass(slots=True)
class Step:
    """One step with what was seen; `checks` counts the expectations that held."""

    title: str
    seconds: float
    facts: list[str] = field(default_factory=list)
    checks: int = 0


class Chronicle:
    """Collects steps; prints them as they happen unless `quiet`."""

    def __init__(self, *, quiet: bool) -> None:
        self._console = Console(quiet=quiet, highlight=False, soft_wrap=True)
        self._began = time.monotonic()
        self.steps: list[Step] = []

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    @property
    def checks(self) -> int:
        """Expectations that held so far."""
        return sum(step.checks for step in self.steps)

    @property
    def story_seconds(self) -> float:
        """From the end of the set-up (the first step) to the beginning of the last."""
        return self.steps[-1].seconds - self.steps[1].seconds if len(self.steps) > 2 else 0.0

    def heading(self, text: str) -> None:
        self._console.print(Text(f"\n{text}", style="bold"))

    def step(self, title: str) -> None:
        """Begin a step; what is checked and told from now on belongs to it."""
        self.steps.append(Step(title, round(self.seconds, 2)))
        self._console.print(Text.assemble((f"{self.seconds:6.1f} s  ", "dim"), (title, "cyan")))

    def tell(self, fact: str) -> None:
        """A fact that was checked, in a reader's words."""
        self.steps[-1].facts.append(fact)
        self._console.print(Text(f"            {fact}"))

    def expect(self, what: str, expected: object, came: object) -> None:
        """Go on when `came` equals `expected`; raises StepFailed otherwise."""
        if _plain(expected) != _plain(came):
            raise StepFailed(self.steps[-1].title, what, expected, came)
        self.steps[-1].checks += 1

    def within(self, what: str, limit: float, seconds: float) -> None:
        """Go on when something took no longer than `limit` seconds."""
        if seconds > limit:
            raise StepFailed(self.steps[-1].title, what, f"at most {limit:g} s", f"{seconds:.2f} s")
        self.steps[-1].checks += 1


def show(day: date | str) -> str:
    """A day as people read it."""
    return date.fromisoformat(str(day)).strftime("%a %d %b %Y")


def _plain(value: object) -> Any:
    """Days as ISO text, tuples as lists: what an answer in JSON can be compared with."""
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_plain(item) for item in value]
    return value
