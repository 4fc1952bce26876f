from pathlib import Path

import pytest

from ledger.outbox.operation import State
from ledger.reference import OperationKey
from sync.errors import InputError
from sync.runtime.decisions import Selection, Signature, decide
from sync.runtime.outbox_admin import outbox_page, outbox_show
from sync.runtime.status import status
from tests.sync.runtime.desk import COURSE, INSTITUTION, desk_in
from tests.sync.runtime.ledgers import log_of, types_of


async def test_the_list_says_what_each_operation_waits_for(home: Path) -> None:
    async with desk_in(home) as desk:
        await desk.university()
        page = await outbox_page(desk.ledger)

        assert page.next is None
        assert page.rows == (
            {
                "operation": await desk.key(INSTITUTION),
                "entity": "institution",
                "source_id": "I-1",
                "kind": "upsert",
                "state": "ready",
                "attempts": 0,
                "waits_for": [],
                "reason": None,
            },
            {
                "operation": await desk.key(COURSE),
                "entity": "course",
                "source_id": "C-1",
                "kind": "upsert",
                "state": "blocked",
                "attempts": 0,
                "waits_for": [{"why": "moving", "entity": "institution", "source_id": "I-1"}],
                "reason": None,
            },
        )


async def test_pages_and_filters(home: Path) -> None:
    async with desk_in(home) as desk:
        await desk.university()
        first = await outbox_page(desk.ledger, limit=1)
        second = await outbox_page(desk.ledger, limit=1, after=first.next)
        blocked = await outbox_page(desk.ledger, states=[State.BLOCKED])
        courses = await outbox_page(desk.ledger, entity="course")

    assert [first.rows[0]["entity"], second.rows[0]["entity"]] == ["institution", "course"]
    assert [row["entity"] for row in (*blocked.rows, *courses.rows)] == ["course", "course"]


async def test_one_operation_is_explained_in_words(home: Path) -> None:
    async with desk_in(home) as desk:
        await desk.university()
        await desk.settle(INSTITUTION, "held", reason="bind_institution")
        held = await outbox_show(desk.ledger, await desk.key(INSTITUTION))
        waiting = await outbox_show(desk.ledger, await desk.key(COURSE))

    assert "mapping bind" in str(held["explanation"])
    waits = waiting["waits_for"]
    assert isinstance(waits, list)
    assert isinstance(waits[0], dict)
    assert (waits[0]["why"], waits[0]["source_id"]) == ("held", "I-1")
    assert "held for a person" in str(waits[0]["words"])


async def test_an_unknown_operation_names_the_list(home: Path) -> None:
    async with desk_in(home) as desk:
        with pytest.raises(InputError, match="outbox list"):
            await outbox_show(desk.ledger, OperationKey("nothing"))
        with pytest.raises(InputError, match="outbox list"):
            await decide(desk.ledger, "retry", Selection(keys=(OperationKey("nothing"),)))


async def test_an_approval_is_on_record_and_its_author_is_sealed(home: Path) -> None:
    async with desk_in(home) as desk:
        await desk.university()
        await desk.settle(INSTITUTION, "held", reason="bind_institution")
        key = await desk.key(INSTITUTION)
        by = Signature(actor="registrar@example.org", reason="looked at it")
        decided = await decide(desk.ledger, "approve", Selection(keys=(key,)), signature=by)
        last = (await log_of(desk.ledger))[-1]
        opened = (await desk.ledger.sealer.open([last]))[0]

        assert decided == (key,)
        assert (await desk.operation(INSTITUTION)).state is State.READY
        assert (opened.type, opened.public) == ("operator.approved", {"operations": [key]})
        assert opened.private == {"actor": "registrar@example.org", "reason": "looked at it"}
        assert b"registrar" not in last.envelope


async def test_all_that_fit_the_filter_are_decided_at_once(home: Path) -> None:
    async with desk_in(home) as desk:
        await desk.university()
        await desk.settle(INSTITUTION, "dead", reason="refused")
        nothing = await decide(desk.ledger, "retry", Selection(reason="other"))
        one = await decide(desk.ledger, "retry", Selection(entity="institution", reason="refused"))

        assert (len(nothing), len(one)) == (0, 1)
        assert (await types_of(desk.ledger))[-1] == "operator.retried"


@pytest.mark.parametrize(
    ("outcome", "verb", "message"),
    [
        ("done", "retry", "it is done, not dead or held"),
        ("dead", "approve", "it is dead, not held"),
        ("uncertain", "discard", "it is uncertain, not dead or held"),
    ],
)
async def test_only_what_waits_for_a_person_takes_a_decision(
    home: Path, outcome: str, verb: str, message: str
) -> None:
    async with desk_in(home) as desk:
        await desk.university()
        await desk.settle(INSTITUTION, outcome)
        size = (await desk.ledger.head()).size
        chosen = Selection(keys=(await desk.key(INSTITUTION),))

        with pytest.raises(InputError, match=message):
            await decide(desk.ledger, verb, chosen)  # type: ignore[arg-type]
        assert (await desk.ledger.head()).size == size


async def test_what_may_have_been_sent_is_found_out_and_never_given_up(home: Path) -> None:
    async with desk_in(home) as desk:
        await desk.university()
        await desk.settle(INSTITUTION, "held", reason="several_matches", in_doubt=True)
        chosen = Selection(keys=(await desk.key(INSTITUTION),))

        with pytest.raises(InputError, match="outbox retry"):
            await decide(desk.ledger, "discard", chosen)
        assert await decide(desk.ledger, "discard", Selection()) == ()
        await decide(desk.ledger, "retry", chosen)
        operation = await desk.operation(INSTITUTION)
        assert (operation.state, operation.possibly_sent) == (State.READY, True)


async def test_the_status_counts_everything(home: Path) -> None:
    async with desk_in(home) as desk:
        await desk.university()
        await desk.settle(INSTITUTION, "done", target="u-1", after="live")
        head = await desk.ledger.head()
        found = await status(desk.ledger)

    assert found == {
        "ledger": desk.ledger.ledger_id,
        "tenant": None,
        "log": {"size": head.size, "root": head.root().hex()},
        "projection": {"position": 2, "lag": 0},
        "operations": {
            "blocked": 0,
            "ready": 1,
            "leased": 0,
            "uncertain": 0,
            "done": 1,
            "held": 0,
            "dead": 0,
            "superseded": 0,
        },
        "bindings": {"institution": 1},
        "quarantine": 0,
        "circuit": "closed",
        "outage": None,
        "hosts": [],
        "stopped": None,
        "late_looks": 0,
        "accepted_older": None,
    }
