"""Every command that the words of a reason name: that it exists, works, is on record, and helps."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import click

from ledger.outbox.operation import State
from ledger.reference import SourceRef, TargetId
from sync.cli.program import cli
from sync.dispatcher.reasons import WORDS, Reason
from sync.runtime.decisions import Selection, Signature, decide
from sync.runtime.mapping_admin import bind, release
from tests.sync.runtime.desk import COURSE_DATA, INSTITUTION_DATA, Desk, desk_in
from tests.sync.runtime.ledgers import log_of

_ALL = list(Reason)
HELD = _ALL[_ALL.index(Reason.SEVERAL_MATCHES) : _ALL.index(Reason.REFUSED)]
DEAD = _ALL[_ALL.index(Reason.REFUSED) :]
PLANNED = (
    "parent_changed", "certificate_changed", "certificate_revoked", "key_taken", "key_cycle",
    "mass_change", "cannot_plan",
)  # fmt: skip
STOPPED: dict[str, str] = {
    **{str(code): "held" for code in (*HELD, *PLANNED)},
    **{str(code): "dead" for code in DEAD},
}
COMMAND = re.compile(r"`((?:outbox|mapping|document) [a-z]+)[^`]*`")
BY = Signature(actor="registrar", reason="looked at it")


def commands(code: str) -> list[str]:
    """Return the commands that a reason's words name, each once."""
    return list(dict.fromkeys(COMMAND.findall(WORDS[code].todo)))


async def approve(desk: Desk, record: SourceRef) -> None:
    await decide(desk.ledger, "approve", Selection((await desk.key(record),)), signature=BY)


async def retry(desk: Desk, record: SourceRef) -> None:
    await decide(desk.ledger, "retry", Selection((await desk.key(record),)), signature=BY)


async def discard(desk: Desk, record: SourceRef) -> None:
    await decide(desk.ledger, "discard", Selection((await desk.key(record),)), signature=BY)


async def bind_it(desk: Desk, record: SourceRef) -> None:
    await bind(desk.ledger, record, TargetId(f"b-{record.source_id}"), signature=BY)


ACTS: dict[str, Callable[[Desk, SourceRef], Awaitable[None]]] = {
    "outbox approve": approve,
    "outbox retry": retry,
    "outbox discard": discard,
    "mapping bind": bind_it,
}
EVENTS = {
    "outbox approve": "operator.approved",
    "outbox retry": "operator.retried",
    "outbox discard": "operator.discarded",
    "mapping bind": "operator.approved",
}
ELSEWHERE = frozenset({"document add", "mapping find", "mapping release"})
"""Commands that decide nothing about an operation; the words go on with the one that does."""


def test_every_command_that_the_words_name_exists() -> None:
    root = click.Context(cli)
    for name in {each for code in STOPPED for each in commands(code)}:
        group_name, verb = name.split()
        group: Any = cli.get_command(root, group_name)

        assert group is not None
        assert group.get_command(click.Context(group), verb) is not None, name


async def test_every_command_named_works_on_record_and_what_waited_goes_on(home: Path) -> None:
    wrong: list[str] = []
    table = [(c, outcome, act) for c, outcome in STOPPED.items() for act in commands(c)]
    async with desk_in(home) as desk:
        for number, (code, outcome, act) in enumerate(table):
            if act in ELSEWHERE:
                continue
            record, waiting = await stopped(desk, code, outcome=outcome, number=number)
            size = (await desk.ledger.head()).size
            await ACTS[act](desk, record)
            told = [each for each in await log_of(desk.ledger) if each.position >= size]
            opened = {each.type: each.private for each in await desk.ledger.sealer.open(told)}
            if opened.get(EVENTS[act]) != {"actor": BY.actor, "reason": BY.reason}:
                wrong.append(f"{code}, {act}: on record as {opened}")
            is_given_up = act == "outbox discard"
            if not is_given_up and (await desk.operation(record)).state is not State.READY:
                wrong.append(f"{code}, {act}: the record stands still")
            if not is_given_up:
                await desk.settle(record, "done", target=f"u-{number}", after="live")
            state = (await desk.operation(waiting)).state
            if state is not (State.BLOCKED if is_given_up else State.READY):
                wrong.append(f"{code}, {act}: what waits is {state}")
            if state is State.READY:
                await desk.settle(waiting, "done", target=f"c-{number}", after="live")

    assert wrong == []
    assert {act for _, _, act in table} == {*ACTS, *ELSEWHERE}


async def test_a_record_that_is_gone_is_let_go_of_and_tried_again(home: Path) -> None:
    record = SourceRef("institution", "I-1")
    async with desk_in(home) as desk:
        await desk.tell("institution.upserted", record, **INSTITUTION_DATA)
        await desk.settle(record, "done", target="u-1", after="live")
        await desk.tell("institution.upserted", record, **{**INSTITUTION_DATA, "name": "New"})
        await desk.settle(record, "held", reason=str(Reason.MISSING))
        await release(desk.ledger, record, signature=BY)
        await retry(desk, record)
        told = await log_of(desk.ledger)
        opened = [each.private for each in await desk.ledger.sealer.open(told[-2:])]

        assert (await desk.operation(record)).state is State.READY
        assert [each.type for each in told[-2:]] == ["mapping.released", "operator.retried"]
        assert opened == [{"actor": BY.actor, "reason": BY.reason}] * 2


async def stopped(
    desk: Desk, code: str, *, outcome: str, number: int
) -> tuple[SourceRef, SourceRef]:
    """Make a record stand still for this reason, and another one that waits for it."""
    record, waiting = SourceRef("institution", f"I-{number}"), SourceRef("course", f"C-{number}")
    await desk.tell("institution.upserted", record, **INSTITUTION_DATA)
    data = {**COURSE_DATA, "institution_id": record.source_id, "code": f"X{number}"}
    await desk.tell("course.upserted", waiting, **data)
    await desk.settle(record, outcome, reason=code)
    return record, waiting
