"""What a phase is: what was there before, what is killed, and what must hold afterwards."""

from dataclasses import dataclass

from tests.sync.system.killing.remains import Check, nothing_more
from tests.sync.system.killing.stage import SURVIVOR, VICTIM, Act, Role
from tests.sync.system.killing.telling import FEW
from tests.sync.system.university import Told


@dataclass(frozen=True, slots=True)
class Phase:
    """What was done before, what is done when death comes, and how it is done to the end."""

    name: str
    prepare: Act
    act: Act
    finish: Act
    told: tuple[Told, ...] = FEW
    """Everything that is told in the end."""
    unsent: tuple[Told, ...] = ()
    """What is told besides, and never reaches DokStamp."""
    erases: bool = False
    """Whether whoever opens the ledger next has to finish an erasure, or finds none."""
    left: Check = nothing_more
    """What more must hold of what the dead one left."""
    ended: Check = nothing_more
    """What more must hold in the end."""
    preparer: Role | None = None
    """Who comes after the preparation, and does something before it opens the ledger."""
    victim: Role = VICTIM
    survivor: Role = SURVIVOR
    is_empty_before: bool = False
    """Whether there is no ledger before: it is made while death comes."""
    is_replaced: bool = False
    """Whether the log that was there is not the one that goes on."""
