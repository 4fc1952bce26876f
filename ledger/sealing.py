"""Events made ready for the log, and opened again: where envelope and vault meet."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import orjson

from ledger.errors import IntegrityError
from ledger.log.canonical import canonical_bytes
from ledger.log.envelope import Prepared, SealedPart, Stored, commits_to, opened, prepare
from ledger.log.event import Event, NewEvent
from ledger.reference import Json, LedgerId
from ledger.vault.sealed import commitment, open_sealed
from ledger.vault.vault_store import Vault


class Sealer:
    """Seals the private parts of events under their person's key, and opens them."""

    def __init__(self, vault: Vault, *, ledger_id: LedgerId) -> None:
        self._vault = vault
        self._ledger_id = ledger_id

    async def prepare(
        self, events: Sequence[NewEvent], *, recorded_at: datetime, is_outcome: bool
    ) -> list[Prepared]:
        """Return events sealed and hashed; their keys are durable by then.

        What belongs to a person whose key was destroyed is not sealed, and so not kept.
        """
        persons = {event.person for event in events if event.private is not None}
        keys = await self._vault.keys(persons) if persons else {}
        return [
            self._prepare(event, keys, recorded_at=recorded_at, is_outcome=is_outcome)
            for event in events
        ]

    def prepare_with(
        self, keys: Mapping[str, bytes], event: NewEvent, *, recorded_at: datetime
    ) -> Prepared:
        """Return an outcome sealed under one of these keys, for a step that decides what it says.

        The keys must be durable; what belongs to a person without one of them is not kept.
        """
        return self._prepare(event, keys, recorded_at=recorded_at, is_outcome=True)

    def _prepare(
        self,
        event: NewEvent,
        keys: Mapping[str, bytes],
        *,
        recorded_at: datetime,
        is_outcome: bool,
    ) -> Prepared:
        return prepare(
            event,
            ledger_id=self._ledger_id,
            recorded_at=recorded_at,
            private=self._seal(event, keys),
            content_digest=self._digest(event),
            is_outcome=is_outcome,
        )

    async def shut(self, persons: Iterable[str]) -> frozenset[str]:
        """Return those persons whose key was destroyed; the others have one from now on."""
        wanted = frozenset(persons)
        return wanted - (await self._vault.keys(wanted)).keys() if wanted else frozenset()

    async def open(self, stored: Sequence[Stored]) -> list[Event]:
        """Return stored events, with their private parts where the keys still exist."""
        persons = {event.person for event in stored if event.sealed is not None}
        keys = await self._vault.existing_keys(persons) if persons else {}
        return [opened(event, private=self._private(event, keys)) for event in stored]

    def open_now(self, stored: Sequence[Stored]) -> list[Event]:
        """Return stored events opened, for a step on the ledger's writer thread."""
        persons = {event.person for event in stored if event.sealed is not None}
        keys = self._vault.existing_keys_now(persons) if persons else {}
        return [opened(event, private=self._private(event, keys)) for event in stored]

    async def disclose(self, stored: Sequence[Stored]) -> list[tuple[bytes, bytes] | None]:
        """Return salt and canonical payload of each event, where the key still exists."""
        persons = {event.person for event in stored if event.sealed is not None}
        keys = await self._vault.existing_keys(persons) if persons else {}
        return [
            open_sealed(
                keys[event.person], event.sealed, context=self._context(event.source, event.id)
            )
            if event.sealed is not None and event.person in keys
            else None
            for event in stored
        ]

    async def private_of(self, prepared: Prepared) -> dict[str, Json] | None:
        """Return what an event that is not in the log yet keeps sealed; `None` once erased."""
        if prepared.sealed is None:
            return None
        keys = await self._vault.existing_keys([prepared.person])
        if prepared.person not in keys:
            return None
        context = self._context(prepared.source, prepared.id)
        value: dict[str, Json] = orjson.loads(
            self._vault.open(keys[prepared.person], prepared.sealed, context=context)
        )
        return value

    def document_of(self, event: NewEvent | Event) -> bytes | None:
        """Return the keyed digest of the document that an event names."""
        data = (event.private or {}).get("data")
        document = data.get("document") if isinstance(data, dict) else None
        digest = document.get("sha256") if isinstance(document, dict) else None
        return self._vault.document_digest(digest) if isinstance(digest, str) else None

    def _seal(self, event: NewEvent, keys: Mapping[str, bytes]) -> SealedPart | None:
        if event.private is None or event.person not in keys:
            return None
        sealed, committed = self._vault.seal(
            keys[event.person],
            canonical_bytes(dict(event.private)),
            context=self._context(event.source, event.id),
        )
        return SealedPart(sealed, committed)

    def _private(self, event: Stored, keys: Mapping[str, bytes]) -> dict[str, Json] | None:
        if event.sealed is None or event.person not in keys:
            return None
        context = self._context(event.source, event.id)
        salt, payload = open_sealed(keys[event.person], event.sealed, context=context)
        # Under another key the same sealed bytes can be made to say something else: only what
        # the tree commits to counts.
        if not commits_to(event, commitment(salt, payload)):
            message = (
                f"event {event.position} does not say what the log commits to: restore the vault"
            )
            raise IntegrityError(message, position=event.position)
        value: dict[str, Json] = orjson.loads(payload)
        return value

    def _context(self, source: str, event_id: str) -> bytes:
        return canonical_bytes([self._ledger_id, source, event_id])

    def _digest(self, event: NewEvent) -> bytes:
        data = (event.private or {}).get("data")
        name = [event.subject.entity, event.subject.source_id] if event.subject else []
        content = canonical_bytes([event.type, *name, data, dict(event.public)])
        return self._vault.content_digest(content)
