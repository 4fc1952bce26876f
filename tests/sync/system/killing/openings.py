"""Acts before there is a ledger, or in its place: making one, restoring one, accepting an older."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import MetaData

from ledger.schema.tables import metadata
from ledger.schema.vault_tables import vault_metadata
from sync.runtime import moving
from sync.runtime.standing import ACCEPTED, accept_older, stand_of
from tests.sync.system.killing.homes import Part
from tests.sync.system.killing.outside import look
from tests.sync.system.killing.remains import BACKUP, MASTER, Remains, envelopes
from tests.sync.system.killing.stage import Opening, Role, Stage

MAKER, REMAKER = Role(2, makes_the_ledger=True), Role(4, makes_the_ledger=True)

ACCEPTED_MAX = 2
"""Once more by who comes after somebody that died before the tree was published anew."""


async def put_back(opening: Opening) -> None:
    """Put the backup in the place of the ledger."""
    folder = opening.settings.address.key_file.parent / BACKUP
    restored = await moving.restore(
        opening.settings, folder, replaces=True, clock=opening.clock, entropy=opening.entropy
    )
    opening.notebook.note("restored", restored.manifest.root)


RESTORER, RESTORER_AGAIN = Role(2, prelude=put_back), Role(4, prelude=put_back)
ACCEPTOR, ACCEPTOR_AGAIN = Role(3), Role(4)


async def accept(stage: Stage) -> None:
    """Go on with an older ledger, unless that is accepted already."""
    key_file: Path = stage.settings.address.key_file
    if (await stand_of(stage.ledger, key_file)).error is not None:
        await accept_older(stage.ledger, key_file, reason="a disk was lost")
    stage.notebook.note("accepted", "older")


def accepting_faults(remains: Remains) -> Iterator[str]:
    """Tell whether an older ledger was accepted too often, or promised to be and is not."""
    accepted = len(remains.sight.outcomes(ACCEPTED))
    if accepted > ACCEPTED_MAX:
        yield f"G7: an older ledger was accepted {accepted} times"
    if remains.promises("accepted") and not accepted:
        yield "G1: an acceptance was promised and is lost"


def making_faults(remains: Remains) -> Iterator[str]:
    """Tell whether half a schema lies there, or a ledger that nothing opens."""
    parts: tuple[tuple[Part, MetaData], ...] = (("main", metadata), ("vault", vault_metadata))
    for part, wanted in parts:
        tables = remains.home.tables(part)
        missing = wanted.tables.keys() - tables
        if tables and missing:
            yield f"G1: {part} lacks {sorted(missing)}"
        if remains.home.is_made() and not tables:
            yield f"G1: there is a ledger, and its {part} is missing"
    key = remains.home.folder / MASTER
    if remains.home.is_made() and not (key.exists() and key.stat().st_size):
        yield "G1: there is a ledger, and no master key"


def restoring_faults(remains: Remains) -> Iterator[str]:
    """Tell whether neither the old ledger is there, nor the new one, nor the old one kept aside."""
    old = [entry.envelope for entry in look(remains.template).log]
    backup = envelopes(remains.home.folder / BACKUP / "ledger.db")
    if not remains.home.is_made():
        if old not in remains.home.kept_aside():
            yield "G1: no ledger is in its place, and none is kept aside whole"
        return
    found = [entry.envelope for entry in remains.sight.log]
    if found not in (old, backup):
        yield "G11: what is there is neither the old log nor the restored one"
    if remains.promises("restored") and found != backup:
        yield "G1: a restored ledger was promised, and it is not there"
