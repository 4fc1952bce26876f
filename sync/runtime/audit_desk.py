"""What an auditor asks: the story of a record, whom a uuid stands for, whether the log is whole."""

from collections.abc import Callable

from ledger.audit.timeline import Plot, story
from ledger.audit.timeline_store import read_chapter, stands_for
from ledger.audit.verification import Verification
from ledger.audit.verify_store import verify
from ledger.ledger import Ledger
from ledger.reference import Json, Position, SourceRef, TargetId
from sync.dispatcher.reasons import explain
from sync.runtime.page import ROWS_MAX, Answer, Page


class AuditDesk:
    """Answers about the past of one ledger; it changes nothing."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

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
        scope = self._ledger.scope
        chapter = await self._ledger.read(
            lambda c: read_chapter(c, scope, reference=reference, after=after, limit=limit)
        )
        rows = story(chapter.events, Plot(reference, chapter.operations, explain))
        following = chapter.events[-1].position if len(chapter.events) >= limit else None
        return Page(tuple(rows), following)

    async def target(self, uuid: str) -> Answer:
        """Return which records a DokStamp uuid stands or stood for, each with its story."""
        scope = self._ledger.scope
        found = await self._ledger.read(
            lambda connection: stands_for(connection, scope, target=TargetId(uuid))
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

    async def verify(self, *, announce: Callable[[int, int], None] | None = None) -> Verification:
        """Return whether every stored byte of the log is what was written."""
        return await verify(self._ledger, announce=announce)
