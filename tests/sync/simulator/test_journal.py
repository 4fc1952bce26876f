"""The journal of requests, writes and notices."""

import hashlib
import json

from sync.simulator import PRACTICE_TENANT, Fault, Simulator
from sync.simulator.journal import entry_json
from tests.sync.simulator.practice import Practice


def test_a_request_is_written_down_without_its_content() -> None:
    practice = Practice()
    practice.student("one@example.org", "Ada Secret")
    practice.find("/students", "email", "one@example.org")

    post, get = list(practice.simulator.journal.requests)[-2:]
    whole = json.dumps([entry_json(post), entry_json(get)])

    body = {"name": "Ada Secret", "email": "one@example.org", "date_of_birth": "2000-02-03"}
    assert post.body_sha256 == hashlib.sha256(json.dumps(body).encode()).hexdigest()
    assert (post.tenant, post.user_agent, post.status) == (PRACTICE_TENANT.domain, "practice", 201)
    assert get.query_names == ("where[email]", "per_page")
    assert "Ada" not in whole
    assert "one@example" not in whole


def test_every_write_names_its_record_and_request() -> None:
    practice = Practice()
    institution = practice.institution()
    practice.call("PATCH", f"/institutions/{institution}", {"name": "New", "country": "Brazil"})
    practice.call("DELETE", f"/institutions/{institution}")

    writes = practice.simulator.journal.writes

    assert [write.action for write in writes] == ["created", "updated", "deleted"]
    assert {write.uuid for write in writes} == {institution}
    assert writes[1].fields == ("name",)
    assert [write.request for write in writes] == [2, 3, 4]


def test_a_notice_names_certificate_student_and_course() -> None:
    practice = Practice()
    fields = practice.graduate()

    uuid = practice.make("/certificates", **fields, finish=True)

    notice = practice.simulator.journal.notifications[0]
    assert (notice.certificate, notice.student, notice.course) == (
        uuid,
        fields["student_uuid"],
        fields["course_uuid"],
    )


def test_a_bounded_journal_drops_entries_and_keeps_its_counts() -> None:
    practice = Practice()
    practice.simulator = Simulator(journal_entries_max=3)

    for number in range(10):
        practice.institution(str(number))

    assert len(practice.simulator.journal.requests) == 3
    assert len(practice.simulator.journal.writes) == 3
    assert practice.simulator.verdict().requests == {"POST": 11}
    assert practice.simulator.verdict().writes == {"institutions created": 10}


def test_repeating_an_update_whose_answer_was_lost_is_forgiven() -> None:
    practice = Practice(Fault(kind="cut_after", method="PATCH", nth=1))
    path = f"/institutions/{practice.institution()}"

    practice.call("PATCH", path, {"name": "New"})
    practice.call("PATCH", path, {"name": "New"})

    assert practice.simulator.verdict().is_clean


def test_a_used_file_that_stops_a_second_try_is_forgiven() -> None:
    practice = Practice(Fault(kind="error_after", path="/certificates", nth=1))
    fields = practice.graduate()

    statuses = [practice.call("POST", "/certificates", fields).status for _ in range(2)]

    assert statuses == [500, 422]
    assert practice.simulator.verdict().is_clean
