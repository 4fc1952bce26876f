"""What only the platform can do."""

import pytest

from sync.errors import InputError
from sync.simulator.platform import act
from tests.sync.simulator.practice import Practice


def _act(practice: Practice, action: str, table: str, uuid: str) -> None:
    act(practice.simulator.world.store, action, table=table, uuid=uuid, now=practice.now)


def test_a_restored_record_works_again_under_its_uuid() -> None:
    practice = Practice()
    student, other = practice.student(), practice.student("two@example.org")
    practice.call("DELETE", f"/students/{student}")

    _act(practice, "restore", "students", student)

    assert practice.call("GET", f"/students/{student}").status == 200
    assert [row["uuid"] for row in practice.get("/students")["data"]] == [student, other]


def test_an_expired_certificate_cannot_be_revoked() -> None:
    practice = Practice()
    uuid = practice.certificate()

    _act(practice, "expire", "certificates", uuid)

    assert practice.get(f"/certificates/{uuid}")["data"]["status"] == "expired"
    assert practice.call("PUT", f"/certificates/{uuid}/revoke").status == 422


def test_an_institution_can_be_suspended() -> None:
    practice = Practice()
    uuid = practice.institution()

    _act(practice, "suspend", "institutions", uuid)

    assert practice.get(f"/institutions/{uuid}")["data"]["status"] == "suspended"


@pytest.mark.parametrize(
    ("action", "table"), [("expire", "students"), ("explode", "students"), ("restore", "stars")]
)
def test_other_wishes_are_refused(action: str, table: str) -> None:
    practice = Practice()

    with pytest.raises(InputError):
        _act(practice, action, table, practice.student())
