"""What an auditor asks: the story of a record, whom a uuid stands for, whether the log is whole."""

from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import Connection

from ledger.audit.checkpoint_store import read_tree
from ledger.audit.proof import Opened, Proven, bundle
from ledger.audit.proof_store import Story, read_story
from ledger.audit.timeline import Plot, story
from ledger.audit.timeline_store import read_chapter, stands_for
from ledger.audit.verification import Head, Verification
from ledger.audit.verify_store import verify
from ledger.errors import MasterKeyError
from ledger.ledger import Ledger
from ledger.reference import Json, Position, Scope, SourceRef, TargetId
from sync.dispatcher.reasons import explain
from sync.errors import InputError
from sync.runtime.notary import Notary
from sync.runtime.page import ROWS_MAX, Answer, Page


class AuditDesk:
    """Answers about the past of one ledger; it changes nothing."""

    def __init__(self, ledger: Ledger, *, key_file: Path | None = None) -> None:
        self._ledger = ledger
        self._notary = Notary(ledger, key_file=key_file) if key_file is not None else None

    async def timeline(self, entity: str, source_id: str) -> list[Answer]:
        """Return the whole story of one record, in the order of the log."""
        found: list[Answer] = []
        cursor: Position | None = -1
        while cursor is not None:
            page = await self.timeline_page(SourceRef(entity, source_id), after=cursor)
            found += page.rows
            cursor = page.next
        return found

    async def timeline_page(
        self, reference: SourceRef, *, after: Position = -1, limit: int = ROWS_MAX
    ) -> Page[Position]:
        """Return part of a record's story, after a position of the log."""
        chapter = await self._ledger.read_folded(
            lambda c, scope: read_chapter(c, scope, reference=reference, after=after, limit=limit)
        )
        told = chapter.with_facts(await self._ledger.sealer.open(chapter.sealed))
        rows = story(told, Plot(reference, chapter.operations, explain))
        following = chapter.events[-1].position if len(chapter.events) >= limit else None
        return Page(tuple(rows), following)

    async def target(self, uuid: str) -> Answer:
        """Return which records a DokStamp uuid stands or stood for, each with its story."""
        found = await self._ledger.read_folded(
            lambda connection, scope: stands_for(connection, scope, target=TargetId(uuid))
        )
        records: list[Json] = []
        for binding in found:
            reference = binding.reference
            told: list[Json] = [*await self.timeline(reference.entity, reference.source_id)]
            records.append(
                {
                    "entity": reference.entity,
                    "source_id": reference.source_id,
                    "state": binding.state.value,
                    "position": binding.position,
                    "timeline": told,
                }
            )
        return {"target_id": uuid, "records": records}

    async def verify(
        self,
        *,
        checkpoints: Sequence[Path] = (),
        announce: Callable[[int, int], None] | None = None,
    ) -> Verification:
        """Return whether every stored byte of the log is what was written.

        It must also continue each of these checkpoints, and the one that was last published.
        """
        published: list[Head] = []
        if self._notary is not None:
            given = [await self._notary.read(path) for path in checkpoints]
            published = [*given, *await self._notary.published()]
        return await verify(self._ledger, published=published, announce=announce)

    async def prove(
        self,
        reference: SourceRef,
        *,
        disclose: bool = False,
        after: Position = -1,
        through: Position | None = None,
    ) -> Answer:
        """Return a bundle that proves what happened to a record, to whoever has no ledger."""
        if self._notary is None:
            message = "proofs are signed: open the desk with the key file of the ledger"
            raise MasterKeyError(message)
        await self._ledger.complete_tiles()
        published = await self._notary.published()

        def look(connection: Connection, scope: Scope) -> Story:
            read_tree(connection, scope.ledger, published=published)
            return read_story(connection, scope, reference=reference, after=after, through=through)

        story = await self._ledger.read_folded(look)
        # As with every tree head that is signed: no power cut may undo it.
        await self._ledger.database.make_durable()
        if not story.events:
            message = f"the log holds nothing of {reference} there: see `audit timeline`"
            raise InputError(message)
        return bundle(
            reference,
            key=self._notary.key.encode(),
            checkpoint=await self._notary.hand_out(story.head),
            events=await self._proven(story) if disclose else sealed(story),
        )

    async def _proven(self, story: Story) -> list[Proven]:
        """Return the events with their private parts: data, who decided, and why."""
        # None of them is about another record, or it would not be in the story.
        opened = await self._ledger.sealer.disclose(story.events)
        return [
            Proven(
                event,
                path,
                opened=None if each is None else Opened(*each),
                is_erased=event.sealed is not None and each is None,
            )
            for event, path, each in zip(story.events, story.paths, opened, strict=True)
        ]


def sealed(story: Story) -> list[Proven]:
    """Return the events of a story without anything that is not public."""
    return [Proven(*each) for each in zip(story.events, story.paths, strict=True)]
