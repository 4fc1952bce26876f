"""Names for the things that the ledger links: records, targets, operations, places in the log."""

from dataclasses import dataclass
from typing import NewType

Position = int
"""An event's number in its ledger: 0, 1, 2, … without gaps."""

LedgerId = NewType("LedgerId", str)
"""A ledger's random name, made once; part of every operation key and of proofs."""

TargetId = NewType("TargetId", str)
"""The remote system's name of a record: opaque and compared without regard to case."""

OperationKey = NewType("OperationKey", str)
"""The deterministic name of one intended effect on one record."""

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]
"""What canonical JSON can hold: no floats, decimals travel as strings."""


@dataclass(frozen=True, slots=True, order=True)
class SourceRef:
    """One record of the source system: what it is and the id it has there."""

    entity: str
    source_id: str

    def __str__(self) -> str:
        return f"{self.entity} {self.source_id}"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows are meant: one ledger of the database, and one folding of its log."""

    ledger: int
    generation: int


def same_target(first: TargetId, second: TargetId) -> bool:
    """Tell whether two spellings name the same remote record."""
    return first.casefold() == second.casefold()
