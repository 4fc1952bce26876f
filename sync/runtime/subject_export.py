"""Everything that is held about a student, as JSON for whoever has a right to it."""

import json
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from ledger.erasure.worker import Erasing
from ledger.ledger import Ledger
from ledger.log.envelope import format_time
from ledger.log.event import Event
from ledger.mapping import store as mapping_store
from ledger.outbox import look_store
from ledger.outbox import store as outbox_store
from ledger.reference import Json, Position, Scope, SourceRef
from ledger.subjects import subject_store
from ledger.subjects.name import name_of
from ledger.subjects.search_store import page_of_person
from sync.runtime.audit_desk import AuditDesk
from sync.runtime.page import Answer
from sync.runtime.subject_admin import STUDENT, lines_of, names_of, records_of, require_known

ERASED: Final = "[erased]"


async def subject_export(
    ledger: Ledger, student_id: str, *, documents: Path | None = None
) -> Answer:
    """Return all that is held about a student; documents are written into a folder if one is given.

    Raises `InputError` for an unknown student.
    """
    await require_known(ledger, student_id)
    records = await records_of(ledger, student_id)
    names = await names_of(ledger, student_id)
    events = [event for name in names for event in await _events(ledger, name)]
    return {
        "student_id": student_id,
        "standing": await _standings(ledger, student_id),
        "records": [_record(each) for each in records],
        "events": [_event(each) for each in events],
        "operations": await _operations(ledger, records),
        "bindings": await _bindings(ledger, records),
        "documents": await _documents(ledger, events, folder=documents),
        "quarantine": await _refused(ledger, student_id),
        "timeline": await _timeline(ledger, records),
    }


async def _events(ledger: Ledger, person: str) -> list[Event]:
    number, after, found = ledger.scope.ledger, -1, list[Event]()
    while True:
        page = await ledger.read(_PageAfter(number, person, after))
        if not page:
            return found
        found += await ledger.sealer.open(page)
        after = page[-1].position


class _PageAfter:
    def __init__(self, ledger: int, person: str, after: Position) -> None:
        self._asked: dict[str, Any] = {"person": person, "after": after}
        self._ledger = ledger

    def __call__(self, connection: Connection) -> list[Any]:
        return list(page_of_person(connection, self._ledger, **self._asked))


async def _standings(ledger: Ledger, student_id: str) -> list[Json]:
    person = name_of(STUDENT, student_id)
    found = await ledger.read_folded(
        lambda connection, scope: subject_store.names_of(connection, scope, person=person)
    )
    return [
        {"person": each.person, "state": each.standing.value, "position": each.position}
        for each in found
    ]


async def _operations(ledger: Ledger, records: Iterable[SourceRef]) -> list[Json]:
    def look(connection: Connection, scope: Scope) -> list[Json]:
        return [
            {
                "operation": each.key,
                **_record(each.reference),
                "kind": each.kind,
                "state": each.state.value,
                "reason": each.reason,
                "cause": each.cause,
            }
            for reference in records
            for find in (outbox_store.of_record, look_store.of_record)
            for each in find(connection, scope, reference=reference)
        ]

    return await ledger.read_folded(look)


async def _bindings(ledger: Ledger, records: Iterable[SourceRef]) -> list[Json]:
    wanted = list(records)
    found = await ledger.read_folded(partial(mapping_store.find_all, references=wanted))
    return [
        {**_record(each.reference), "target_id": each.target, "state": each.state.value}
        for each in sorted(found.values(), key=lambda each: each.reference)
    ]


async def _documents(ledger: Ledger, events: Iterable[Event], *, folder: Path | None) -> list[Json]:
    found: list[Json] = []
    for digest in dict.fromkeys(filter(None, map(_digest, events))):
        content = await ledger.documents.get(digest)
        entry: dict[str, Json] = {
            "sha256": digest,
            "size": None if content is None else len(content),
        }
        if folder is not None and content is not None:
            file = folder / f"{digest}.pdf"
            # Nobody else's business, whatever the folder allows.
            file.touch(mode=0o600)
            file.write_bytes(content)
            entry["file"] = str(file)
        found.append(entry)
    return found


def _digest(event: Event) -> str | None:
    document = (event.data or {}).get("document")
    return str(document["sha256"]) if isinstance(document, dict) else None


async def _refused(ledger: Ledger, student_id: str) -> list[Json]:
    lines = await lines_of(ledger, student_id)
    owners = await Erasing(ledger).lines_about(lines.find)
    events = [event for owner in owners for event in await _events(ledger, owner)]
    return [
        {"position": each.position, **dict(each.public), **dict(each.private or {})}
        for each in events
    ]


async def _timeline(ledger: Ledger, records: Iterable[SourceRef]) -> list[Json]:
    desk = AuditDesk(ledger)
    told: dict[int, Json] = {}
    for reference in records:
        for entry in await desk.timeline(reference.entity, reference.source_id):
            told.setdefault(int(str(entry["position"])), entry)
    return [told[position] for position in sorted(told)]


def _record(reference: SourceRef) -> dict[str, Json]:
    return {"entity": reference.entity, "source_id": reference.source_id}


def _event(event: Event) -> Json:
    private: Mapping[str, Json] = event.private or {}
    erased: dict[str, Json] = {"data": ERASED} if event.is_erased else {}
    return {
        "position": event.position,
        "id": event.id,
        "source": event.source,
        "type": event.type,
        **(_record(event.subject) if event.subject is not None else {}),
        "recorded_at": format_time(event.recorded_at),
        "public": json.loads(json.dumps(dict(event.public))),
        **private,
        **erased,
    }
