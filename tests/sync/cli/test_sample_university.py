"""The sample university: exact counts, valid events, no order, the same for the same dice."""

import base64
import json
from collections import Counter
from random import Random
from typing import Any

import pytest

from ledger.reference import SourceRef
from sync.cli.sample_university import COUNTS, REPEATS, sample_university
from sync.resources import Checked, check, resource


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    return list(sample_university(Random(1)))


@pytest.fixture(scope="module")
def states(events: list[dict[str, Any]]) -> dict[SourceRef, Checked]:
    checked = {
        (event["type"], event["subject"]): check(event["type"], event["subject"], event["data"])
        for event in events
    }
    return {SourceRef(each.entity, subject): each for (_, subject), each in checked.items()}


def test_there_are_exactly_as_many_records_as_said(events: list[dict[str, Any]]) -> None:
    distinct = {(event["type"].split(".")[0], event["subject"]) for event in events}

    assert Counter(entity for entity, _ in distinct) == COUNTS
    assert len(events) == sum(COUNTS.values()) + REPEATS


def test_every_event_is_accepted(states: dict[SourceRef, Checked]) -> None:
    assert [fault for each in states.values() for fault in each.faults] == []


def test_every_reference_is_to_a_record_that_agrees(states: dict[SourceRef, Checked]) -> None:
    known = {reference: each.data or {} for reference, each in states.items()}

    for reference, data in known.items():
        each = resource(reference.entity)
        assert {named.ref for named in each.references(data)} <= known.keys()
        assert each.inconsistencies(data, known) == ()


def test_natural_keys_are_held_once(states: dict[SourceRef, Checked]) -> None:
    keys = [
        resource(reference.entity).natural_key(reference.source_id, each.data or {})
        for reference, each in states.items()
        if reference.entity != "certificate"
    ]

    assert len(set(keys)) == len(keys)


def test_certificates_are_for_completed_enrollments(states: dict[SourceRef, Checked]) -> None:
    named = [
        SourceRef("enrollment", str((each.data or {})["enrollment_id"]))
        for reference, each in states.items()
        if reference.entity == "certificate"
    ]

    assert len(set(named)) == COUNTS["certificate"]
    assert all(resource("enrollment").is_complete(states[each].data or {}) for each in named)


def test_every_module_is_attached_somewhere(states: dict[SourceRef, Checked]) -> None:
    attached = {
        (each.data or {})["module_id"]
        for reference, each in states.items()
        if reference.entity == "course_module"
    }

    assert len(attached) == COUNTS["module"]


def test_events_come_before_what_they_need(events: list[dict[str, Any]]) -> None:
    first = {event["subject"]: place for place, event in reversed(list(enumerate(events)))}
    early = Counter(
        event["type"]
        for place, event in enumerate(events)
        if "student_id" in event["data"] and place < first[event["data"]["student_id"]]
    )

    assert early["certificate.requested"] > 10
    assert early["enrollment.upserted"] > 10


def test_repeats_are_the_same_events_again(events: list[dict[str, Any]]) -> None:
    written = Counter(json.dumps(event, sort_keys=True) for event in events)
    ids = Counter(event["id"] for event in events)

    assert sum(count - 1 for count in written.values()) == REPEATS
    assert len(ids) == len(written)


def test_the_same_dice_give_the_same_university(events: list[dict[str, Any]]) -> None:
    assert list(sample_university(Random(1))) == events
    assert list(sample_university(Random(2))) != events


def test_every_diploma_is_a_pdf_of_its_own(events: list[dict[str, Any]]) -> None:
    made = {
        event["subject"]: base64.b64decode(event["data"]["document"]["content_base64"])
        for event in events
        if event["type"] == "certificate.requested"
    }

    assert len(set(made.values())) == COUNTS["certificate"]
    assert all(pdf.startswith(b"%PDF-") for pdf in made.values())
    assert all(pdf.rstrip().endswith(b"%%EOF") for pdf in made.values())


def test_nobody_is_real(events: list[dict[str, Any]]) -> None:
    people = [event["data"] for event in events if event["type"] == "student.upserted"]

    assert all(person["email"].endswith("@example.edu") for person in people)
    assert len({person["email"] for person in people}) == COUNTS["student"]
