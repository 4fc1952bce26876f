"""Whose the records are that an operator decides about: what is sealed of it goes with them."""

from collections.abc import Collection

from ledger.ledger import Ledger
from ledger.reference import SourceRef
from ledger.subjects import subject_store


async def persons_of(ledger: Ledger, references: Collection[SourceRef]) -> dict[SourceRef, str]:
    """Return the persons of these records, records that are nobody's left out."""
    return await ledger.read_folded(
        lambda connection, scope: subject_store.owners(connection, scope, references=references)
    )
