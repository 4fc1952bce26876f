"""The traps of API 14 that lie in finding, making, changing and removing records."""

from decimal import Decimal

import pytest

from ledger.reference import Json
from sync.dispatcher.procedures import DeletePolicy, Rules, preflight
from sync.dispatcher.reasons import Reason, explain
from sync.dispatcher.step import After, Outcome
from sync.dokstamp.wire import target as wire_target
from sync.resources.catalog import check
from tests.sync.dispatcher.procedures.samples import (
    COHORT,
    COURSE,
    MODULE,
    STUDENT,
    change,
    removal,
    row,
    upsert,
)
from tests.sync.dispatcher.procedures.transcript import (
    answered,
    fails,
    lists,
    lost,
    made,
    missing,
    play,
    play_steps,
    refuses,
    shows,
)

COURSE_PATH = "/courses/course-CS-uuid"
COURSE_SEARCH = "GET /courses?where[code]=CS"
STUDENT_SEARCH = "GET /students?where[email]=ana+sis@example.edu"
DELETES = Rules(delete_policy=DeletePolicy.CHECKED_DELETE)


def test_trap_01_refused_delete_is_not_retried_for_ever() -> None:
    cohort = "/cohorts/cohort-CS-2024-uuid"
    checks = [
        ("GET /enrollments?where[cohort_uuid]=cohort-CS-2024-uuid", lists()),
        ("GET /certificates?where[cohort_uuid]=cohort-CS-2024-uuid", lists()),
        (f"DELETE {cohort}", fails()),
    ]
    there = (f"GET {cohort}", shows(row("cohort")))
    first = play(removal("cohort"), checks, rules=DELETES)
    again = removal("cohort", possibly_sent=True, progress=first.facts)

    second = play(again, [there, *checks, there], rules=DELETES)

    assert first.settlement.outcome is Outcome.UNCERTAIN
    assert second.settlement.outcome is Outcome.DONE
    assert second.settlement.reason == Reason.KEPT_DELETE_REFUSED


def test_trap_02_post_without_an_answer_is_searched_for_before_it_is_sent_again() -> None:
    first = play(upsert("course"), [(COURSE_SEARCH, lists()), ("POST /courses", lost())])
    second = play(
        upsert("course", possibly_sent=True), [(COURSE_SEARCH, lists(row("course", "u-1")))]
    )

    assert first.settlement.outcome is Outcome.UNCERTAIN
    assert second.calls == [COURSE_SEARCH]
    assert second.settlement.target == "u-1"


def test_trap_03_a_404_is_not_taken_for_deleted_so_create_it_again() -> None:
    canary = play_steps(preflight(None), [("GET /institutions", missing())])
    script = [
        (f"PATCH {COURSE_PATH}", missing()),
        (f"GET {COURSE_PATH}", missing()),
        ("GET /courses", lists()),
    ]
    gone = play(change("course", wanted={"name": "New"}), script)

    assert not canary.result.is_ready
    assert gone.settlement.outcome is Outcome.HELD
    assert "mapping release" in explain(gone.settlement.reason)


def test_trap_04_the_first_row_of_a_search_is_not_taken() -> None:
    strangers = lists(
        row("student", "u-1", email="rui@example.edu"), row("student", "u-2", email="eva@b.edu")
    )

    played = play(upsert("student"), [(STUDENT_SEARCH, strangers), ("POST /students", made("u"))])

    assert played.settlement.target == "u"


def test_trap_05_a_plus_in_an_email_is_percent_encoded() -> None:
    played = play(upsert("student"), [(STUDENT_SEARCH, lists(row("student")))])

    assert "where%5Bemail%5D=ana%2Bsis%40example.edu" in wire_target(played.requests[0])


def test_trap_06_lists_are_read_to_their_end() -> None:
    def page(number: int, uuid: str, **changes: object) -> object:
        meta = {"current_page": number, "per_page": 1, "total": 2}
        return {"data": [row("course", uuid, **changes)], "meta": meta}

    script = [
        (COURSE_SEARCH, answered(200, page(1, "u-1", code="OTHER"))),
        (f"{COURSE_SEARCH}&page=2", answered(200, page(2, "u-2"))),
    ]

    assert play(upsert("course"), script).settlement.target == "u-2"


@pytest.mark.parametrize(
    ("entity", "sample", "word", "other"),
    [("module", MODULE, "in_person", "presential"), ("cohort", COHORT, "remote", "online")],
)
def test_trap_07_modules_and_cohorts_have_words_of_their_own(
    entity: str, sample: dict[str, Json], word: str, other: str
) -> None:
    right = check(f"{entity}.upserted", "X", {**sample, "modality": word})
    wrong = check(f"{entity}.upserted", "X", {**sample, "modality": other})

    assert right.is_accepted
    assert [fault.field for fault in wrong.faults] == ["data.modality"]


def test_trap_08_hours_go_under_the_name_of_each_resource() -> None:
    course = play(upsert("course"), [(COURSE_SEARCH, lists()), ("POST /courses", made("u"))])
    module = play(
        upsert("module", wanted={"workload": 60}),
        [("GET /modules?where[code]=MA1", lists()), ("POST /modules", made("u"))],
    )

    assert course.body("POST /courses")["workload_hours"] == 3200
    assert module.body("POST /modules")["workload"] == 60


def test_trap_09_a_course_is_not_left_in_draft() -> None:
    work = upsert("course", wanted={"status": None})
    script = [
        (COURSE_SEARCH, lists()),
        ("POST /courses", made("u-1", status="draft")),
        ("PATCH /courses/u-1", shows({"uuid": "u-1", "status": "active"})),
    ]
    checked = check("course.upserted", "CS", {**COURSE, "status": None}).data
    assert checked is not None
    stated = upsert("course", wanted=dict(checked))

    told = play(work, [(COURSE_SEARCH, lists()), ("POST /courses", made("u-1"))])
    mended = play(stated, script)

    assert told.body("POST /courses")["status"] == "active"
    assert mended.settlement.outcome is Outcome.DONE


def test_trap_19_a_student_is_never_looked_up_by_the_new_email() -> None:
    path = "/students/student-S-1-uuid"
    work = change("student", wanted={"email": "ana.new@example.edu"})
    shown = shows(row("student", email="ana.new@example.edu"))

    played = play(work, [(f"PATCH {path}", shown)])

    assert played.calls == [f"PATCH {path}"]


def test_trap_20_two_persons_of_one_mailbox_are_not_merged() -> None:
    sister = lists(row("student", "u-1", name="Eva Souza", date_of_birth="2004-01-01"))

    played = play(upsert("student"), [(STUDENT_SEARCH, sister)])

    assert played.settlement.outcome is Outcome.HELD
    assert played.settlement.reason == Reason.IDENTITY_DIFFERS


def test_trap_21_a_student_without_a_birth_date_never_reaches_dokstamp() -> None:
    checked = check("student.upserted", "S-1", {**STUDENT, "date_of_birth": None})

    assert [fault.field for fault in checked.faults] == ["data.date_of_birth"]


def test_trap_22_courses_are_archived_and_institutions_made_inactive() -> None:
    institution = "/institutions/institution-DEMO-uuid"
    archived = shows(row("course", status="archived"))
    inactive = shows(row("institution", status="inactive"))

    course = play(removal("course"), [(f"PATCH {COURSE_PATH}", archived)])
    other = play(removal("institution"), [(f"PATCH {institution}", inactive)])

    assert course.body(f"PATCH {COURSE_PATH}") == {"status": "archived"}
    assert other.body(f"PATCH {institution}") == {"status": "inactive"}


def test_trap_25_a_course_is_not_deleted_before_its_modules_are_detached() -> None:
    uuid = "course-CS-uuid"
    free, detach = f"GET {COURSE_PATH}/attach/modules", f"DELETE {COURSE_PATH}/detach/modules"
    script = [
        (f"GET /cohorts?where[course_uuid]={uuid}", lists()),
        (f"GET /enrollments?where[course_uuid]={uuid}", lists()),
        (f"GET /certificates?where[course_uuid]={uuid}", lists()),
        ("GET /modules?where[institution_uuid]=institution-DEMO-uuid", lists(row("module"))),
        (free, lists()),
        (detach, answered(204)),
        (free, lists(row("module"))),
        (f"DELETE {COURSE_PATH}", answered(204)),
    ]

    played = play(removal("course"), script, rules=DELETES)

    assert played.settlement.after is After.RELEASED


def test_trap_26_a_total_is_no_proof_that_a_filter_was_obeyed() -> None:
    others = lists(*(row("course", f"u-{n}", code=f"C-{n}") for n in range(3)))

    played = play(upsert("course"), [(COURSE_SEARCH, others), ("POST /courses", made("u"))])

    assert played.settlement.target == "u"


def test_trap_27_certificates_are_not_the_only_dependants() -> None:
    cohort = lists({"uuid": "h", "course": {"uuid": "course-CS-uuid"}})
    script = [
        ("GET /cohorts?where[course_uuid]=course-CS-uuid", cohort),
        (f"PATCH {COURSE_PATH}", shows(row("course", status="archived"))),
    ]

    played = play(removal("course"), script, rules=DELETES)

    assert played.settlement.reason == Reason.KEPT_IN_USE


def test_trap_30_uuids_are_opaque_and_their_letter_case_does_not_count() -> None:
    rows = lists(row("course", "ZZ-not-a-v4", institution={"uuid": "INSTITUTION-demo-UUID"}))

    assert play(upsert("course"), [(COURSE_SEARCH, rows)]).settlement.target == "ZZ-not-a-v4"


def test_trap_31_dates_are_compared_as_dates() -> None:
    path = "/enrollments/enrollment-E-1-uuid"
    shown = shows(row("enrollment", enrolled_at="2024-02-01T00:00:00.000000Z"))

    played = play(change("enrollment", sent=None), [(f"GET {path}", shown)])

    assert played.calls == [f"GET {path}"]


@pytest.mark.parametrize("grade", [Decimal("8.75"), Decimal("8.750"), "8.75", "8.750"], ids=str)
def test_trap_32_grades_are_compared_as_decimals(grade: object) -> None:
    path = "/enrollments/enrollment-E-1-uuid"
    shown = shows(row("enrollment", grade=grade))

    played = play(change("enrollment", sent=None), [(f"GET {path}", shown)])

    assert played.calls == [f"GET {path}"]


@pytest.mark.parametrize("entity", ["institution", "course", "module", "student", "enrollment"])
def test_trap_33_nothing_is_patched_that_did_not_change(entity: str) -> None:
    assert play(change(entity)).calls == []


def test_trap_37_a_4xx_is_not_simply_dropped() -> None:
    search = (
        "GET /enrollments?where[course_uuid]=course-CS-uuid&where[student_uuid]=student-S-1-uuid"
    )
    reference = [
        (search, lists()),
        ("POST /enrollments", refuses("student_uuid")),
        ("GET /students/student-S-1-uuid", missing()),
        ("GET /students", lists()),
    ]
    key = [
        (STUDENT_SEARCH, lists()),
        ("POST /students", refuses("email")),
        (STUDENT_SEARCH, lists(row("student", "u-1"))),
    ]

    waits = play(upsert("enrollment"), reference)
    adopted = play(upsert("student"), key)
    token = play(upsert("course"), [(COURSE_SEARCH, answered(401))])

    assert waits.settlement.outcome is Outcome.HELD
    assert adopted.settlement.outcome is Outcome.DONE
    assert token.settlement.outcome is Outcome.RETRY


def test_trap_40_a_removed_student_is_not_taken_for_erased() -> None:
    played = play(removal("student"), rules=DELETES)

    assert played.calls == []
    assert "keeps records of this kind" in explain(played.settlement.reason)
