"""Documents as a ledger keeps them, while persons are erased by others."""

from pathlib import Path

from ledger.ledger import Ledger
from ledger.testing import address_in, ledger_in


async def test_a_document_that_comes_again_after_its_key_was_destroyed_can_be_read(
    home: Path,
) -> None:
    async with ledger_in(home) as ours, await Ledger.open(address_in(home)) as theirs:
        now = ours.clock.now()
        digest = await ours.documents.add(b"a diploma", now=now)
        name = ours.vault.document_digest(digest)
        await theirs.vault.erase_person("student:S-1", documents=[name])
        await ours.documents.add(b"a diploma", now=now)
    async with await Ledger.open(address_in(home)) as later:
        found = await later.documents.get(digest)

    assert found == b"a diploma"
