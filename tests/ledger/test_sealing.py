"""What is opened is what the log commits to, or it is refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from ledger.errors import IntegrityError
from ledger.ledger import Ledger
from ledger.log import store as log_store
from ledger.log.canonical import canonical_bytes
from ledger.log.envelope import Stored
from ledger.log.event import NewEvent
from ledger.reference import Json, SourceRef
from ledger.testing import ledger_in

STUDENT = SourceRef("student", "S-1")
PRIVATE: dict[str, Json] = {"data": {"name": "Ana"}}


async def stored(ledger: Ledger) -> Stored:
    """Append an event about a person and return its row."""
    event = NewEvent(
        source="urn:sis",
        id="e-1",
        type="student.upserted",
        subject=STUDENT,
        private=PRIVATE,
        person=str(STUDENT),
    )
    await ledger.append([event])
    (row,) = await ledger.read(
        lambda connection: log_store.read_page(connection, ledger.scope.ledger, after=-1, limit=2)
    )
    return row


async def test_an_event_opens_to_what_was_sealed(home: Path) -> None:
    async with ledger_in(home) as ledger:
        (opened,) = await ledger.sealer.open([await stored(ledger)])

    assert opened.private == PRIVATE


async def test_a_payload_that_the_log_does_not_commit_to_is_refused(home: Path) -> None:
    async with ledger_in(home) as ledger:
        row = await stored(ledger)
        key = (await ledger.vault.existing_keys([row.person]))[row.person]
        context = canonical_bytes([ledger.ledger_id, row.source, row.id])
        other, _ = ledger.vault.seal(key, b'{"data": {"name": "Eva"}}', context=context)

        with pytest.raises(IntegrityError, match="commits to") as refusal:
            await ledger.sealer.open([replace(row, sealed=other)])
    assert refusal.value.position == row.position
    assert "Eva" not in str(refusal.value)
