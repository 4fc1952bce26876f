"""Refused lines in the ledger: kept whole and sealed, each line once, however often it comes."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ledger.ledger import Ledger
from ledger.log import quarantine_store
from ledger.log.envelope import Prepared
from ledger.reference import Json
from ledger.subjects.name import LINE_START
from ledger.transaction import Transaction
from sync.resources.definition import Fault
from sync.sources.quarantine import QuarantineEntry, event_key

QUARANTINED: Final = "event.quarantined"
RELEASED: Final = "quarantine.released"
HALF_BYTES: Final = 16


class QuarantineKeeper:
    """Puts refused lines on record and takes them off once their event was taken."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def keep(self, entries: Sequence[QuarantineEntry]) -> None:
        """Keep refused lines; one that is on record is only counted again."""
        keys = [self._key(entry) for entry in entries]
        known = await self._ledger.read_folded(
            lambda connection, scope: quarantine_store.known(connection, scope, keys=set(keys))
        )
        fresh = {key: each for key, each in zip(keys, entries, strict=True) if key not in known}
        prepared = await self._prepare(fresh)
        await self._ledger.transact(lambda step: _write(step, keys, fresh, prepared))

    def settle(self, step: Transaction, taken: Iterable[tuple[str, str]]) -> None:
        """Release, within a transaction, what was refused of events that are taken by now."""
        starts = [self._start(event_key(source, event_id)) for source, event_id in taken]
        for key in quarantine_store.refused_like(step.connection, step.scope, starts=starts):
            step.record(RELEASED, public={"key": key})

    async def _prepare(self, fresh: Mapping[str, QuarantineEntry]) -> dict[str, Prepared]:
        # All keys at once: each would otherwise be made durable in a commit of its own.
        await self._ledger.vault.keys(f"{LINE_START}{key}" for key in fresh)
        return {
            key: await self._ledger.outcome(
                QUARANTINED,
                public=_public(key, entry),
                private=_private(entry),
                person=f"{LINE_START}{key}",
            )
            for key, entry in fresh.items()
        }

    def _key(self, entry: QuarantineEntry) -> str:
        # The first half names the event, the second the line: a corrected line of the same event
        # is another one, and two lines of one event cannot push each other out. So is the same
        # line once it brings a document: what was stored for it must be known.
        line = entry.raw + entry.document.encode()
        return self._start(entry.key) + self._half(b"refused line", line)

    def _start(self, key: str) -> str:
        return self._half(b"refused event", key.encode())

    def _half(self, purpose: bytes, content: bytes) -> str:
        # Keyed, because a line holds personal data that could be guessed from a plain digest.
        return self._ledger.vault.lookup_digest(purpose, content)[:HALF_BYTES].hex()


def _write(
    step: Transaction,
    keys: Sequence[str],
    entries: Mapping[str, QuarantineEntry],
    prepared: Mapping[str, Prepared],
) -> None:
    known = quarantine_store.known(step.connection, step.scope, keys=set(keys))
    for key in keys:
        if key in known:
            quarantine_store.see_again(step.connection, step.scope.ledger, key=key)
        else:
            known.add(key)
            public = _public(key, entries[key])
            step.record(QUARANTINED, public=public, prepared=prepared[key])


def _public(key: str, entry: QuarantineEntry) -> dict[str, Json]:
    return {"key": key, "line": entry.line, "reasons": reasons_json(entry.reasons)}


def reasons_json(reasons: Iterable[Fault]) -> list[Json]:
    """Return reasons as the log keeps them in the clear."""
    return [_reason(each, field=each.field) for each in reasons]


def exact_reasons_json(reasons: Iterable[Fault]) -> list[Json]:
    """Return reasons as only who may see the line itself may see them."""
    return [_reason(each, field=each.exact_field) for each in reasons]


def _reason(fault: Fault, *, field: str) -> Json:
    return {"field": field, "code": fault.code, "message": fault.message}


def _private(entry: QuarantineEntry) -> dict[str, Json]:
    return {
        "source": entry.source,
        "type": entry.type,
        "subject": entry.subject,
        "id": entry.id,
        "reasons": exact_reasons_json(entry.reasons),
        **({"document": entry.document} if entry.document else {}),
        **_raw(entry.raw),
    }


def _raw(raw: bytes) -> dict[str, Json]:
    try:
        return {"raw": raw.decode()}
    except UnicodeDecodeError:
        return {"raw_base64": base64.b64encode(raw).decode()}


def raw_of(private: Mapping[str, Json]) -> bytes:
    """Return a refused line as it was read."""
    if "raw_base64" in private:
        return base64.b64decode(str(private["raw_base64"]))
    return str(private["raw"]).encode()
