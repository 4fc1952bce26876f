"""What a person can do about refused lines: look at them, and let them in once they are right."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from ledger.erasure.holding_worker import name_to_take
from ledger.erasure.holding_worker import readmit as let_in
from ledger.errors import EventError, LedgerBusyError
from ledger.ledger import Ledger
from ledger.log import quarantine_store
from ledger.log.event import NOBODY, Event
from ledger.log.quarantine_store import Kept
from ledger.reference import Json, Position
from ledger.transaction import Appended, Transaction, Verdict
from sync.errors import InputError
from sync.resources.definition import Fault
from sync.runtime.decisions import Signature
from sync.runtime.ingest_ledger import LedgerIngest
from sync.runtime.page import ROWS_MAX, Answer, Page, page_of
from sync.runtime.quarantine_keeper import RELEASED, exact_reasons_json, raw_of
from sync.sources import event_reader
from sync.sources.event_reader import Rules
from sync.sources.ingest_report import REFUSALS, Intake
from sync.sources.ingest_worker import put_document
from sync.sources.item import Checked, Refused

_AGAIN: Final = "the ledger changed meanwhile: release it again"
_WELCOME = frozenset({Verdict.TAKEN, Verdict.DUPLICATE})


async def quarantine_page(
    ledger: Ledger, *, after: Position = -1, limit: int = ROWS_MAX
) -> Page[Position]:
    """Return refused lines in the order they first came, after a position of the log."""
    found = await ledger.read_folded(
        lambda connection, scope: quarantine_store.read_page(
            connection, scope, after=after, limit=limit
        )
    )
    events = await ledger.events_at(kept.position for kept in found)
    return page_of(
        found,
        limit=limit,
        answer=lambda kept: _answer(kept, events[kept.position]),
        cursor=lambda kept: kept.position,
    )


async def quarantine_show(ledger: Ledger, identifier: str) -> Answer:
    """Return one refused line with what it held; raises `InputError` for an unknown id."""
    kept, event = await _find(ledger, identifier)
    raw = raw_of(event.private).decode(errors="replace") if event.private else None
    return {**_answer(kept, event), "state": kept.state, "position": kept.position, "raw": raw}


async def quarantine_release(
    ledger: Ledger,
    identifier: str,
    *,
    rules: Rules,
    folder: Path | None = None,
    actor: str | None = None,
    readmit: bool = False,
) -> Answer:
    """Check a refused line again and append its event if it is acceptable by now.

    `folder` is where documents lie that the line names by path. `readmit` lets a person in again
    who was erased: this event and those that follow. Returns `released` and, where it is refused
    again, the reasons.
    """
    kept, event = await _releasable(ledger, identifier)
    if kept.state == quarantine_store.RELEASED:
        return {"id": kept.key, "released": True, "reasons": []}
    assert event.private is not None, "what was erased cannot be released"
    line = int(str(event.public["line"]))
    raw = raw_of(event.private)
    item = event_reader.read_line(raw, number=line, origin="", folder=folder, rules=rules)
    if isinstance(item.outcome, Refused):
        return _refused(kept, *item.outcome.reasons)
    assert isinstance(item.outcome, Checked), "a line of events is never passed over"
    checked = await _renamed(ledger, item.outcome) if readmit else item.outcome
    return await _bring(ledger, kept, checked, actor=actor)


async def require_releasable(ledger: Ledger, identifiers: Sequence[str]) -> None:
    """Raise one `InputError` that names every line which is unknown or erased.

    Whoever releases several asks this first, so that a slip in one of them changes nothing.
    """
    faults = list[str]()
    for identifier in identifiers:
        try:
            await _releasable(ledger, identifier)
        except InputError as error:
            faults.append(str(error))
    if faults:
        raise InputError("\n".join([*faults, "nothing was released"]))


async def _releasable(ledger: Ledger, identifier: str) -> tuple[Kept, Event]:
    kept, event = await _find(ledger, identifier)
    if kept.state != quarantine_store.RELEASED and event.private is None:
        message = f"what {identifier} held was erased: there is nothing left to release"
        raise InputError(message)
    return kept, event


async def _renamed(ledger: Ledger, checked: Checked) -> Checked:
    """Return an event under the name that its person would be let in by."""
    (event,) = await ledger.with_persons([checked.event])
    if not event.person:
        return checked
    name = await name_to_take(ledger, event.person)
    return replace(checked, event=replace(event, person=name))


async def _bring(ledger: Ledger, kept: Kept, checked: Checked, *, actor: str | None) -> Answer:
    try:
        offers = await ledger.offers([checked.event])
    except EventError:
        return _refused(kept, REFUSALS[Intake.RESERVED_SOURCE])
    # Nothing is stored for an event that is refused again: nobody would know whose it is.
    is_welcome = (await ledger.would_take([checked.event]))[0]
    if checked.document is not None and is_welcome:
        fault = await put_document(LedgerIngest(ledger), checked.document)
        if fault is not None:
            return _refused(kept, fault)
    public: dict[str, Json] = {"key": kept.key}
    prepared = offers[0].prepared
    signed = Signature(actor).private()
    owner = prepared.person if signed else NOBODY
    scribe = await ledger.scribe([owner] if signed else ())

    def step(transaction: Transaction) -> Appended:
        with transaction.savepoint():
            # It counts only for who was erased, and stands only where the event is taken.
            let_in(transaction, prepared.person, subject=prepared.subject)
            appended = transaction.append(offers)[0]
            if appended.verdict not in _WELCOME:
                raise _NotTakenError(appended)
            if appended.verdict is Verdict.TAKEN and not is_welcome:
                # What stood against it a moment ago is gone, but its document was left out.
                raise LedgerBusyError(_AGAIN)
            scribe.record(transaction, RELEASED, public=public, private=signed, person=owner)
        return appended

    try:
        appended = await ledger.transact(step)
    except _NotTakenError as error:
        return _refused(kept, REFUSALS[Intake(error.appended.verdict.value)])
    return {"id": kept.key, "released": True, "reasons": [], "position": appended.position}


class _NotTakenError(Exception):
    """The log refused the event, so that nothing of its release may stand."""

    def __init__(self, appended: Appended) -> None:
        super().__init__()
        self.appended = appended


async def _find(ledger: Ledger, identifier: str) -> tuple[Kept, Event]:
    kept = await ledger.read_folded(partial(quarantine_store.find, key=identifier))
    if kept is None:
        message = f"nothing in quarantine has the id {identifier}: see `quarantine list`"
        raise InputError(message)
    return kept, (await ledger.events_at([kept.position]))[kept.position]


def _answer(kept: Kept, event: Event) -> Answer:
    private: Mapping[str, Json] = event.private or {}
    return {
        "id": kept.key,
        "source": private.get("source"),
        "line": event.public["line"],
        "type": private.get("type"),
        "subject": private.get("subject"),
        "reasons": private.get("reasons", event.public["reasons"]),
        "count": kept.count,
    }


def _refused(kept: Kept, *reasons: Fault) -> Answer:
    return {"id": kept.key, "released": False, "reasons": exact_reasons_json(reasons)}
