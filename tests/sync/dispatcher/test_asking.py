from collections.abc import Generator
from typing import Any

import pytest

from ledger.reference import OperationKey
from sync.dispatcher.asking import ask, ask_record, walk
from sync.dispatcher.step import Call, Reply, Step
from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.listing import Complete
from sync.dokstamp.request import Request

REQUEST = Request("GET", "/courses/U-1", "/courses/{uuid}")


def converse(steps: Generator[Step, Reply, Any], *replies: Reply) -> tuple[list[Step], Any]:
    taken: list[Step] = [next(steps)]
    try:
        for reply in replies:
            step = steps.send(reply)
            taken.append(step)
    except StopIteration as end:
        return taken, end.value
    raise AssertionError("the conversation waits for more replies")


def test_a_request_becomes_a_call_for_its_operations() -> None:
    answer = Answer(Meaning.DONE, 200, {"data": {"uuid": "U-1"}})

    steps, result = converse(ask(REQUEST, (OperationKey("k"),)), answer)

    assert steps == [Call(REQUEST, (OperationKey("k"),))]
    assert result is answer


def test_a_record_asked_for_is_missing_once_it_is_deleted() -> None:
    deleted = {"data": {"uuid": "U-1", "deleted_at": "2026-01-01T00:00:00.000000Z"}}

    _, result = converse(ask_record(REQUEST), Answer(Meaning.DONE, 200, deleted))

    assert result.meaning is Meaning.MISSING


def test_a_walk_is_a_call_for_each_page() -> None:
    first = {"data": [{"uuid": "U-1"}], "meta": {"total": 2}}
    second = {"data": [{"uuid": "U-2"}], "meta": {"total": 2}}

    steps, result = converse(
        walk("/courses", route="/courses", page_size=1),
        Answer(Meaning.DONE, 200, first),
        Answer(Meaning.DONE, 200, second),
    )

    assert [dict(step.request.query)["page"] for step in steps if isinstance(step, Call)] == [
        "1",
        "2",
    ]
    assert isinstance(result, Complete)


def test_a_reply_of_the_wrong_kind_is_the_workers_mistake() -> None:
    steps = ask(REQUEST)
    next(steps)

    with pytest.raises(TypeError, match="Answer"):
        steps.send(None)
