"""The guard: a run that changes a large part of an entity is held as one batch for a person."""

from collections.abc import Mapping
from dataclasses import dataclass

MASS_CHANGE = "mass_change"
"""The reason code of operations that the guard holds."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What one ingest run did to the records of one entity."""

    known: int
    """Records that the ledger knew before the run."""
    changed: int
    """Those of them that the run changed, removed or revoked; new records do not count."""


def mass_change(tallies: Mapping[str, Tally], *, percent: int, floor: int) -> frozenset[str]:
    """Return the entities of which a run changed too much to be followed without a person."""
    return frozenset(
        entity
        for entity, tally in tallies.items()
        if tally.changed > floor and tally.changed * 100 > tally.known * percent
    )
