"""The words for a person."""

import pytest

from sync.dispatcher.reasons import WORDS, Reason, explain
from sync.projector import certificate, guard, key, plan, retire, state
from sync.resources.definition import Match


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_says_what_happened_and_what_to_do(reason: Reason) -> None:
    words = WORDS[reason]

    assert words.what.endswith(".")
    assert words.todo.endswith(".")


@pytest.mark.parametrize("match", [match for match in Match if match.is_conflict])
def test_every_conflict_of_a_match_has_words(match: Match) -> None:
    assert match.value in WORDS


@pytest.mark.parametrize(
    "code",
    [
        certificate.CERTIFICATE_CHANGED,
        certificate.CERTIFICATE_REVOKED,
        certificate.NEVER_ISSUED,
        guard.MASS_CHANGE,
        key.KEY_CYCLE,
        key.KEY_TAKEN,
        plan.CANNOT_PLAN,
        plan.ERASED,
        retire.ALREADY_RETIRED,
        retire.NEVER_MADE,
        state.AGREES,
        state.PARENT_CHANGED,
    ],
)
def test_every_reason_of_the_plan_has_words(code: str) -> None:
    assert WORDS[code].todo.endswith(".")


def test_the_refused_fields_are_named() -> None:
    assert "Fields: code, name." in explain(Reason.REFUSED, ("code", "name"))


def test_a_reason_of_elsewhere_is_still_readable() -> None:
    assert explain("heard_of_never") == "heard of never"
