from sync.dispatcher.blame import FAILING_MAX, Writes, heard, may_blame
from sync.dispatcher.circuit import Sign


def after(*told: tuple[str, Sign]) -> Writes:
    """Return how writes fare after these, of one operation each."""
    writes = Writes()
    for about, sign in told:
        writes = heard(writes, sign, about=[about])
    return writes


def test_what_was_answered_before_says_nothing_of_a_failure() -> None:
    writes = after(("good", Sign.ALIVE), ("poison", Sign.FAILED), ("poison", Sign.FAILED))

    assert not may_blame(writes, "poison")


def test_what_fails_while_others_are_answered_fails_by_itself() -> None:
    writes = after(("poison", Sign.FAILED), ("good", Sign.ALIVE), ("poison", Sign.FAILED))

    assert may_blame(writes, "poison")


def test_others_that_fail_as_well_clear_nobody() -> None:
    writes = after(("first", Sign.FAILED), ("second", Sign.FAILED), ("first", Sign.FAILED))

    assert not may_blame(writes, "first")
    assert not may_blame(writes, "second")


def test_an_operation_that_is_answered_begins_anew() -> None:
    writes = after(("once", Sign.FAILED), ("once", Sign.ALIVE), ("once", Sign.FAILED))

    assert not may_blame(writes, "once")


def test_what_is_no_sign_changes_nothing() -> None:
    writes = after(("poison", Sign.FAILED), ("good", Sign.NONE))

    assert not may_blame(writes, "poison")


def test_everything_in_one_request_fails_together() -> None:
    writes = heard(Writes(), Sign.FAILED, about=["first", "second"])
    good = heard(writes, Sign.ALIVE, about=["third"])

    assert [may_blame(writes, name) for name in ("first", "second")] == [False, False]
    assert [may_blame(good, name) for name in ("first", "second")] == [True, True]


def test_an_operation_that_no_write_was_sent_for_is_judged_by_others() -> None:
    assert may_blame(Writes(), "unsent")


def test_only_so_many_are_remembered_and_the_oldest_is_forgotten() -> None:
    writes = after(("oldest", Sign.FAILED), ("good", Sign.ALIVE))
    for number in range(FAILING_MAX):
        writes = heard(writes, Sign.FAILED, about=[f"operation {number}"])

    assert len(writes.failing) == FAILING_MAX
    assert "oldest" not in writes.failing
