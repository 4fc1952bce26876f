import asyncio
from pathlib import Path

import pytest

from ledger.audit.checkpoint import read_checkpoint
from ledger.audit.checkpoint_writer import mark_of
from ledger.audit.note import SignerKey
from ledger.errors import IntegrityError, StorageError
from ledger.ledger import Ledger
from ledger.log.event import NewEvent
from ledger.reference import SourceRef
from ledger.testing import ledger_in
from sync.runtime.notary import Notary


async def tell(ledger: Ledger, first: int, count: int) -> None:
    numbers = range(first, first + count)
    events = [NewEvent("sis", str(n), "course.removed", SourceRef("course", "C")) for n in numbers]
    await ledger.append(events)


def unfinished_in(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.endswith(".new")]


async def test_the_head_is_signed_written_and_remembered(home: Path) -> None:
    folder, key_file = home / "public", home / "ledger.key"
    folder.mkdir()
    async with ledger_in(home) as ledger:
        await tell(ledger, 0, 3)
        notary = Notary(ledger, key_file=key_file)
        published = await notary.publish(folder)
        head = await ledger.head()

    assert published.path == folder / "checkpoint.3"
    note = published.path.read_text()
    assert read_checkpoint(note, notary.key).head.root == head.root()
    assert mark_of(key_file).read_text() == note
    assert sorted(path.name for path in folder.iterdir()) == ["checkpoint.3"]


async def test_a_file_is_written_over_whole(home: Path) -> None:
    target = home / "newest"
    async with ledger_in(home) as ledger:
        notary = Notary(ledger, key_file=home / "ledger.key")
        await notary.publish(target)
        await tell(ledger, 0, 300)
        published = await notary.publish(target)

    assert target.read_text() == published.checkpoint
    assert read_checkpoint(target.read_text(), notary.key).head.size == 300


async def test_several_may_publish_at_the_same_time(home: Path) -> None:
    target = home / "newest"
    async with ledger_in(home) as ledger:
        await tell(ledger, 0, 3)
        notary = Notary(ledger, key_file=home / "ledger.key")
        published = await asyncio.gather(*(notary.publish(target) for _ in range(8)))

    assert {each.checkpoint for each in published} == {target.read_text()}
    assert not unfinished_in(home)


async def test_what_is_only_signed_is_remembered_too(home: Path) -> None:
    key_file = home / "ledger.key"
    async with ledger_in(home) as ledger:
        await tell(ledger, 0, 3)
        signed = await Notary(ledger, key_file=key_file).sign()

    assert mark_of(key_file).read_text() == signed.checkpoint


async def test_a_slower_publisher_does_not_lower_what_is_remembered(home: Path) -> None:
    key_file = home / "ledger.key"
    async with ledger_in(home) as ledger:
        notary = Notary(ledger, key_file=key_file)
        await tell(ledger, 0, 3)
        slower = read_checkpoint((await notary.sign()).checkpoint, notary.key).head
        await tell(ledger, 3, 3)
        faster = await notary.sign()
        await notary.hand_out(slower)

    assert mark_of(key_file).read_text() == faster.checkpoint


async def test_a_place_that_lacks_the_newest_head_is_behind(home: Path) -> None:
    folder = home / "public"
    folder.mkdir()
    async with ledger_in(home) as ledger:
        notary = Notary(ledger, key_file=home / "ledger.key")
        await tell(ledger, 0, 3)
        await notary.sign()
        before = await notary.last_at(folder)
        await notary.publish(folder)
        after = await notary.last_at(folder)

    assert (before, after) == (-1, 3)


async def test_a_log_that_was_cut_off_is_signed_no_more(home: Path) -> None:
    async with ledger_in(home) as ledger:
        await tell(ledger, 0, 3)
        longer = await Notary(ledger, key_file=home / "ledger.key").publish()
        seed, ledger_id = ledger.vault.signing_seed(), ledger.ledger_id
        text = longer.checkpoint.partition("\n\n")[0].replace("\n3\n", "\n4\n") + "\n"
        forged = SignerKey(f"dokstamp-ledger/{ledger_id}", seed).sign(text)
        mark_of(home / "ledger.key").write_text(forged)
        with pytest.raises(IntegrityError, match="a checkpoint of 4 was published"):
            await Notary(ledger, key_file=home / "ledger.key").sign()


async def test_a_log_that_was_written_anew_is_signed_no_more(home: Path) -> None:
    key_file = home / "ledger.key"
    async with ledger_in(home) as ledger:
        await tell(ledger, 0, 3)
        published = await Notary(ledger, key_file=key_file).publish()
        await tell(ledger, 3, 1)
        other = "A" * 43 + "="
        root = published.checkpoint.split("\n")[2]
        text = published.checkpoint.partition("\n\n")[0].replace(root, other) + "\n"
        key = SignerKey(f"dokstamp-ledger/{ledger.ledger_id}", ledger.vault.signing_seed())
        mark_of(key_file).write_text(key.sign(text))
        with pytest.raises(IntegrityError, match="is not what its checkpoint of 3"):
            await Notary(ledger, key_file=key_file).sign()


async def test_a_mark_that_was_tampered_with_is_refused(home: Path) -> None:
    key_file = home / "ledger.key"
    async with ledger_in(home) as ledger:
        await tell(ledger, 0, 3)
        await Notary(ledger, key_file=key_file).publish()
        mark = mark_of(key_file)
        mark.write_text(mark.read_text().replace("\n3\n", "\n2\n"))
        with pytest.raises(IntegrityError, match="does not fit the note"):
            await Notary(ledger, key_file=key_file).published()


async def test_a_mark_of_another_ledger_is_told_with_the_way_out(
    home: Path, elsewhere: Path
) -> None:
    mark = mark_of(home / "ledger.key")
    async with ledger_in(elsewhere) as other:
        await Notary(other, key_file=home / "ledger.key").publish()
    async with ledger_in(home) as ledger:
        with pytest.raises(IntegrityError, match="is not this ledger's") as caught:
            await Notary(ledger, key_file=home / "ledger.key").published()

    assert str(mark) in str(caught.value)


async def test_a_tree_is_durable_before_it_is_signed(home: Path) -> None:
    class _Cut(Exception):  # noqa: N818 - a power cut is no error
        """Ends the work where the log would be brought to the disk."""

    async def cut() -> None:
        raise _Cut

    async with ledger_in(home) as ledger:
        await tell(ledger, 0, 3)
        ledger.database.make_durable = cut  # type: ignore[method-assign]
        with pytest.raises(_Cut):
            await Notary(ledger, key_file=home / "ledger.key").publish(home / "newest")

    assert not (home / "newest").exists()
    assert not mark_of(home / "ledger.key").exists()


async def test_a_place_that_cannot_be_written_is_named(home: Path) -> None:
    async with ledger_in(home) as ledger:
        notary = Notary(ledger, key_file=home / "ledger.key")
        with pytest.raises(StorageError, match="could not be written"):
            await notary.publish(home / "nowhere" / "file")
        with pytest.raises(IntegrityError, match="no checkpoint at"):
            await notary.read(home / "nothing")


async def test_a_name_with_a_slash_is_a_folder_and_never_becomes_a_file(home: Path) -> None:
    async with ledger_in(home) as ledger:
        notary = Notary(ledger, key_file=home / "ledger.key")
        with pytest.raises(StorageError, match=r"there is no folder .*make or mount it"):
            await notary.publish(f"{home}/audit/")
        # Nothing counts as handed out that went nowhere.
        assert not mark_of(home / "ledger.key").exists()
        assert not (home / "audit").exists()
        (home / "audit").mkdir()
        published = await notary.publish(f"{home}/audit/")

    assert published.path == home / "audit" / "checkpoint.0"
