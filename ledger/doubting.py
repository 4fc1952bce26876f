"""What it means that an older ledger was accepted in the place of one that went further.

The remote may know more than the log does, for good: whoever told the lost events may tell them
again at any time. Nothing that was unfinished is known to be unsent, and of no record is it known
what it was last told.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection

from ledger import checkpoints
from ledger.mapping import store as mapping_store
from ledger.mapping.binding import BindingState
from ledger.outbox import doubt_store
from ledger.outbox.plan import Plan
from ledger.reference import Position, Scope

ACCEPTED_OLDER: Final = "accepted_older"
"""The checkpoint that says where an older ledger was last accepted; few ledgers have it."""
_COMPARED: Final = "compared_older"
"""The checkpoint that says up to which acceptance a person has compared."""
_STATED: Final = "upsert"


def accepted_older(connection: Connection, scope: Scope) -> Position | None:
    """Return where an older ledger was last accepted, or `None` where that never happened."""
    found = checkpoints.read(connection, scope, name=ACCEPTED_OLDER)
    return None if found == checkpoints.BEFORE_ALL else found


def is_compared(connection: Connection, scope: Scope, *, accepted: Position) -> bool:
    """Tell whether a person has compared the remote with the ledger that was accepted there."""
    return checkpoints.read(connection, scope, name=_COMPARED) >= accepted


def compare_older(connection: Connection, scope: Scope, *, accepted: Position) -> None:
    """Remember that a person has compared; what is in doubt stays so until it is found out."""
    checkpoints.write(connection, scope, name=_COMPARED, position=accepted)


def accept_older(
    connection: Connection, scope: Scope, *, unchanging: Collection[str], position: Position
) -> None:
    """Doubt everything that the lost part may have changed, from this position on.

    `unchanging` names the entities whose records are told their state once and for all.
    """
    doubt_store.doubt_all(connection, scope)
    mapping_store.forget_sent(connection, scope, but=unchanging)
    checkpoints.write(connection, scope, name=ACCEPTED_OLDER, position=position)


def doubt_new(connection: Connection, scope: Scope, *, plan: Plan) -> None:
    """Doubt what is planned, for the lost part may have done it.

    A new state of a live binding needs no doubt: what it was told is unknown, so it is read first.
    """
    if not plan.intents or accepted_older(connection, scope) is None:
        return
    keys = [intent.key for intent in plan.intents]
    unsent = doubt_store.unsent_among(connection, scope, keys=keys)
    bound = mapping_store.find_all(
        connection, scope, references=[each.reference for each in unsent]
    )
    live = {each.reference for each in bound.values() if each.state is BindingState.LIVE}
    doubted = [each.key for each in unsent if each.kind != _STATED or each.reference not in live]
    doubt_store.doubt(connection, scope, keys=doubted)
