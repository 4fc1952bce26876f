import pytest

from sync.projector.guard import Tally, mass_change
from tests.sync.projector.ledger_fake import FakeLedger
from tests.sync.projector.worlds import CERTIFICATE, STUDENT, request, student, university


@pytest.mark.parametrize(
    ("known", "changed", "is_held"),
    [
        (1000, 201, True),
        (1000, 200, False),
        (50, 25, False),
        (50, 26, True),
        (0, 0, False),
    ],
)
def test_more_than_the_percentage_above_the_floor_is_held(
    known: int, changed: int, *, is_held: bool
) -> None:
    held = mass_change({"student": Tally(known, changed)}, percent=20, floor=25)

    assert held == ({"student"} if is_held else frozenset())


def test_one_entity_held_leaves_the_others_alone() -> None:
    tallies = {"student": Tally(100, 90), "course": Tally(100, 1)}

    assert mass_change(tallies, percent=20, floor=25) == {"student"}


def test_a_guarded_change_starts_held_for_a_person() -> None:
    ledger = university()

    ledger.take("student.upserted", "S", student(name="Ana Souza"), guarded={"student"})

    assert ledger.only(STUDENT).reason == "mass_change"


def test_a_guarded_removal_starts_held_for_a_person() -> None:
    ledger = university()

    ledger.take("student.removed", "S", guarded={"student"})

    assert ledger.only(STUDENT).reason == "mass_change"


def test_a_guarded_revocation_starts_held_for_a_person() -> None:
    ledger = university()
    request(ledger)
    ledger.work()

    ledger.take("certificate.revoked", "X", {"reason_code": "withdrawn"}, guarded={"certificate"})

    assert ledger.only(CERTIFICATE).reason == "mass_change"


def test_a_new_record_is_never_held_by_the_guard() -> None:
    ledger = FakeLedger()

    ledger.take("student.upserted", "S", student(), guarded={"student"})

    assert ledger.only(STUDENT).reason is None


def test_what_a_guarded_removal_cascades_to_is_held_with_it() -> None:
    ledger = university()

    ledger.take("module.removed", "M", guarded={"module"})

    assert {each.reason for each in ledger.every_open()} == {"mass_change"}
