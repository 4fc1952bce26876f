"""Whatever happens, and whoever is erased meanwhile: the log folds to the same tables."""

from pathlib import Path
from random import Random

import pytest

from ledger.clock import ManualClock, SeededEntropy
from ledger.errors import EventError
from ledger.ledger import Ledger
from ledger.testing import ledger_in
from sync.errors import InputError
from sync.projector.rebuild_worker import rebuild
from sync.runtime.decisions import Signature
from sync.runtime.subject_admin import subject_erase, subject_hold, subject_release
from tests.sync.projector.hustle import IDS, Hustle

WHY = Signature("officer", "asked for it")


class Erasures(Hustle):
    """Random business in which students are erased now and then."""

    def __init__(self, ledger: Ledger, seed: int) -> None:
        super().__init__(ledger, seed)
        self.ledger = ledger
        self.dice = Random(seed)

    async def act(self) -> None:
        if self.dice.random() > 0.06:
            await super().act()
            return
        verb = self.dice.choice((subject_erase, subject_erase, subject_hold, subject_release))
        try:
            await verb(self.ledger, self.dice.choice(IDS["student"]), signature=WHY)
        except (InputError, EventError):
            return


@pytest.mark.parametrize("seed", range(4))
async def test_a_rebuild_agrees_whoever_is_erased_in_whatever_happens(
    home: Path, seed: int
) -> None:
    clock = ManualClock()
    async with ledger_in(home, clock=clock, entropy=SeededEntropy(seed)) as ledger:
        erasures = Erasures(ledger, seed)
        for number in range(120):
            clock.advance(1)
            await erasures.act()
            if number % 10 == 9:
                assert (await rebuild(ledger, check=True)).first_difference is None, number
