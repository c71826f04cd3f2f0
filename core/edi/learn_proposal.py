"""A profile as it is being proposed: the guide so far, why each setting is as it is, and what is left to a person."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from core.edi.guide import PartnerGuide


@dataclass(slots=True)
class Proposal:
    """A guide, sentences of evidence for its settings, and what is left to a person, each with the reason."""

    guide: PartnerGuide = field(default_factory=PartnerGuide)
    evidence: dict[str, str] = field(default_factory=dict)
    undecided: dict[str, str] = field(default_factory=dict)

    def settle(self, setting: str, value: Any, why: str) -> None:
        self.guide = replace(self.guide, **{setting: value})
        self.evidence[setting] = why
