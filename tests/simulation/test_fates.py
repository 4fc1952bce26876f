"""What becomes of a request can happen, however little time its sender has left."""

from datetime import UTC, datetime
from random import Random

import pytest

from tests.simulation.fates import FATES, Circumstances


@pytest.mark.parametrize("kind", FATES)
@pytest.mark.parametrize("seconds_left", [0.001, 30.0])
def test_the_service_answers_nothing_before_it_did_it(kind: str, seconds_left: float) -> None:
    about = Circumstances(Random(1), seconds_left, datetime(2026, 1, 1, tzinfo=UTC))

    fates = [FATES[kind](kind, about) for _ in range(50)]

    own = [each for each in fates if each.incoming is None and each.answer_after is not None]
    assert all((each.effect_after or 0.0) <= (each.answer_after or 0.0) for each in own)
