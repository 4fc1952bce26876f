"""The list of modules that a course does not have, as the witness of attachments."""

from ledger.reference import Json, SourceRef
from sync.dispatcher.procedures import Rules
from sync.dispatcher.procedures.attach import MISSED_FACT
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome
from tests.sync.dispatcher.procedures.attaching import (
    ATTACH,
    ATTACHED,
    COURSE,
    FREE,
    MA1,
    MA2,
    attachment,
)
from tests.sync.dispatcher.procedures.samples import row
from tests.sync.dispatcher.procedures.transcript import (
    lists,
    lost,
    missing,
    play,
    refuses,
    shows,
    throttled,
)

MISSED: dict[str, Json] = {MISSED_FACT: True}


def test_a_module_that_is_not_listed_is_looked_at_again_before_it_counts_as_attached() -> None:
    rules = Rules(settle_seconds=12.0)

    played = play(attachment("MA1"), [(FREE, lists())], rules=rules)

    assert played.settlement.outcome is Outcome.RETRY
    assert played.settlement.reason == Reason.NOT_LISTED
    assert played.settlement.retry_seconds == 12.0
    assert not played.settlement.counts_as_failure
    assert played.facts == MISSED


def test_a_module_that_is_listed_at_last_is_attached() -> None:
    script = [(FREE, lists(MA1)), (ATTACH, ATTACHED), (FREE, lists())]

    played = play(attachment("MA1", progress=MISSED), script)

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.reason == ""


def test_a_module_attached_before_is_taken_over_unverified_and_not_sent() -> None:
    works = [attachment("MA1", progress=MISSED), attachment("MA2")]
    script = [
        (FREE, lists(MA2)),
        ("GET /modules/module-MA1-uuid", shows(row("module"))),
        (ATTACH, ATTACHED),
        (FREE, lists()),
    ]

    played = play(works, script)

    assert [module["uuid"] for module in played.body(ATTACH)["modules"]] == ["module-MA2-uuid"]
    assert played.settlement_of(works[0]).reason == Reason.UNVERIFIED
    assert played.settlement_of(works[0]).target == "course-CS-uuid/module-MA1-uuid"
    assert played.settlement_of(works[1]).reason == ""


def test_a_module_that_is_gone_is_held() -> None:
    script = [
        (FREE, lists()),
        ("GET /modules/module-MA1-uuid", missing()),
        ("GET /modules", lists()),
    ]

    played = play(attachment("MA1", progress=MISSED), script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.REFERENCE_MISSING


def test_an_inactive_module_that_the_list_hides_is_attached_all_the_same() -> None:
    script = [
        (FREE, lists()),
        ("GET /modules/module-MA1-uuid", shows(row("module", is_active=False))),
        (ATTACH, ATTACHED),
        (FREE, lists()),
    ]

    played = play(attachment("MA1", progress=MISSED), script)

    assert played.settlement.outcome is Outcome.DONE
    assert played.settlement.reason == ""


def test_absence_of_an_inactive_module_proves_something_only_if_it_was_listed() -> None:
    states: dict[SourceRef, dict[str, Json]] = {SourceRef("module", "MA1"): {"is_active": False}}
    first = play(attachment("MA1", names=states), [(FREE, lists(MA1)), (ATTACH, lost())])
    listed = attachment("MA1", names=states, progress=first.facts, possibly_sent=True)
    hidden = attachment("MA1", names=states, possibly_sent=True)

    done = play(listed, [(FREE, lists())])
    again = play(hidden, [(FREE, lists()), (ATTACH, refuses("modules")), (FREE, lists())])

    assert done.settlement.reason == ""
    assert again.settlement.reason == Reason.UNVERIFIED


def test_a_list_that_cannot_be_had_puts_all_off() -> None:
    played = play([attachment("MA1"), attachment("MA2")], [(FREE, throttled(5))])

    assert [each.outcome for each in played.result] == [Outcome.RETRY, Outcome.RETRY]
    assert {each.retry_seconds for each in played.result} == {5}


def test_a_tenant_that_is_gone_stops_the_tenant_for_each_in_its_doubt() -> None:
    sent, unsent = attachment("MA1", possibly_sent=True), attachment("MA2")
    script = [(FREE, missing()), (f"GET {COURSE}", missing()), ("GET /courses", missing())]

    played = play((sent, unsent), script)

    assert played.settlement_of(sent).outcome is Outcome.UNCERTAIN
    assert played.settlement_of(unsent).outcome is Outcome.RETRY
    assert {played.settlement_of(each).reason for each in (sent, unsent)} == {Reason.UNAUTHORISED}


def test_a_course_that_is_gone_holds_its_attachments() -> None:
    script = [(FREE, missing()), (f"GET {COURSE}", missing()), ("GET /courses", lists())]

    played = play(attachment("MA1"), script)

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.REFERENCE_MISSING
