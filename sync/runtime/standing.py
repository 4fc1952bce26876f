"""Whether the ledger goes on from what is kept beside its key file, or is an older one.

DokStamp may be ahead of an older log: nothing is sent then until a person has decided.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ledger import doubting
from ledger.audit.checkpoint_store import read_tree
from ledger.audit.checkpoint_writer import mark_of, write_note
from ledger.errors import IntegrityError
from ledger.ledger import Ledger
from ledger.moving.older_store import Standing, accepted, lost_erasure, standing
from ledger.reference import Json, Position
from sync.errors import InputError
from sync.projector.worker import Projector
from sync.resources import EVENT_TYPES, Kind
from sync.runtime.decisions import Signature
from sync.runtime.notary import Notary

ACCEPTED: Final = "operator.accepted_older"
COMPARED: Final = "operator.compared_older"
UNCHANGING: Final = tuple(
    sorted({each.resource.entity for each in EVENT_TYPES.values() if each.kind is Kind.ISSUE})
)
"""Entities whose records are told their state once: what they were told is never in doubt."""
_SAYS: Final[Mapping[Standing, str]] = MappingProxyType(
    {
        Standing.OLDER: "this ledger has {size} events, but a checkpoint of {published} was "
        "published: an older backup was restored, or the log was cut off",
        Standing.OTHER: "this ledger has {size} events, and they are not those that its published "
        "checkpoint of {published} was made of: another backup was restored, or the log was "
        "written anew",
    }
)
_LOST: Final = (
    "this ledger has {size} events, but the register of erased persons beside its key file names "
    "an erasure at position {erased} that is not among them: an older backup was restored, or the "
    "log was cut off"
)
_WAYS_OUT: Final = (
    "DokStamp may be ahead of it, so nothing is sent: restore a newer backup, or run "
    "`dokstamp-ledger restore --accept-older` to find out first what was sent already"
)


@dataclass(frozen=True, slots=True)
class Stand:
    """How the ledger stands to the newest checkpoint published of it, and to the register."""

    size: int
    published: int | None
    standing: Standing
    erased: Position | None = None
    """Where an erasure stood that the register tells of and the log lacks."""

    @property
    def error(self) -> IntegrityError | None:
        """What keeps everything from being sent, if something does."""
        if self.standing is Standing.CONTINUED:
            return None
        says = _SAYS[self.standing] if self.erased is None else _LOST
        told = says.format(size=self.size, published=self.published, erased=self.erased)
        return IntegrityError(f"{told}. {_WAYS_OUT}")

    def to_json(self) -> dict[str, Json]:
        """Return the stand as `status --json` prints it."""
        return {"published": self.published, "standing": self.standing.value}


async def stand_of(ledger: Ledger, key_file: Path) -> Stand:
    """Return how a ledger stands; raises `IntegrityError` where the checkpoint is not its own."""
    published = await Notary(ledger, key_file=key_file).published()
    number, size = ledger.scope.ledger, (await ledger.head()).size
    newest = max(published, key=lambda head: head.size, default=None)
    found = Standing.CONTINUED
    if newest is not None:
        tree = newest
        found = await ledger.read(lambda c: standing(c, number, published=tree))
    seen = None if newest is None else newest.size
    return await _by_register(ledger, Stand(size, seen, found))


async def _by_register(ledger: Ledger, stand: Stand) -> Stand:
    """Return how a ledger stands that a checkpoint has nothing against."""
    entries = ledger.vault.register.entries(ledger.ledger_id)
    if stand.error is not None or not entries:
        return stand
    lost = await ledger.read_folded(lambda c, scope: lost_erasure(c, scope, entries=entries))
    return stand if lost is None else replace(stand, standing=Standing.OLDER, erased=lost)


async def accept_older(
    ledger: Ledger, key_file: Path, *, actor: str | None = None, reason: str | None = None
) -> dict[str, Json]:
    """Go on with an older ledger: doubt what may have been sent since, publish its tree anew.

    Raises `InputError` where the ledger goes on from what is kept and nothing is to be accepted.
    """
    stand = await stand_of(ledger, key_file)
    if stand.error is None:
        message = "this ledger goes on from its published checkpoint: there is nothing to accept"
        raise InputError(message)
    public: dict[str, Json] = {
        "size": stand.size,
        "published": stand.published,
        "unchanging": list(UNCHANGING),
    }
    position = await _put_on_record(ledger, ACCEPTED, public=public, actor=actor, reason=reason)
    await _publish_anew(ledger, key_file)
    return {"size": stand.size, "published": stand.published, "position": position}


async def compare_older(
    ledger: Ledger, *, actor: str | None = None, reason: str | None = None
) -> dict[str, Json]:
    """Put on record that a person has compared DokStamp with an older ledger that was accepted.

    Raises `InputError` where none was accepted since anybody compared.
    """
    found = await ledger.read_folded(accepted)
    if found is None:
        message = (
            "no older ledger was accepted that is still to be compared: there is nothing to do"
        )
        raise InputError(message)
    # Named, so that one which is accepted meanwhile is still to be compared.
    public: dict[str, Json] = {"accepted": found[0], "in_doubt": found[1]}
    position = await _put_on_record(ledger, COMPARED, public=public, actor=actor, reason=reason)
    return {**public, "position": position}


async def _put_on_record(
    ledger: Ledger,
    act: str,
    *,
    public: Mapping[str, Json],
    actor: str | None,
    reason: str | None,
) -> Position:
    private = Signature(actor, reason).private()
    prepared = await ledger.outcome(act, public=public, private=private)
    return await ledger.transact(lambda step: step.record(act, public=public, prepared=prepared))


async def plans_first(ledger: Ledger, projector: Projector) -> bool:
    """Tell whether everything has to be planned before anything is sent.

    Once an older ledger was accepted, an early state may not find what a later one, in the lost
    part of the log, made of the same record; the latest state does.
    """
    if await ledger.read_folded(doubting.accepted_older) is None:
        return False
    return await projector.lag() > 0


async def _publish_anew(ledger: Ledger, key_file: Path) -> None:
    """Keep the tree as it stands in the place of the one that the log does not go on from."""
    await ledger.complete_tiles()
    number = ledger.scope.ledger
    head = await ledger.read(lambda connection: read_tree(connection, number))
    write_note(mark_of(key_file), Notary(ledger, key_file=key_file).note(head))
