"""What was heard is settled as it was heard, though others keep the ledger busy meanwhile."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.errors import LedgerBusyError
from ledger.mapping.binding import BindingState
from ledger.outbox.operation import State
from sync.dispatcher.judging import Verdict
from sync.dispatcher.outcome_writer import OutcomeWriter, Tenure
from sync.dispatcher.step import Outcome
from sync.dispatcher.work_reader import Assembled
from sync.dokstamp.exchange import Exchange
from tests.sync.dispatcher.floor import SETTLE_SECONDS, Floor, floor_in


class RefusedOnceWriter(OutcomeWriter):
    """Writes what conversations do; its first settlement is refused, for others are busy."""

    is_refused = False

    async def settle(
        self,
        works: Sequence[Assembled],
        verdicts: Sequence[Verdict],
        *,
        tenure: Tenure,
        exchanges: Sequence[Exchange],
    ) -> bool:
        if not self.is_refused:
            self.is_refused = True
            message = "others keep getting in the way: try again later"
            raise LedgerBusyError(message)
        return await super().settle(works, verdicts, tenure=tenure, exchanges=exchanges)


@pytest.fixture
async def floor(home: Path) -> AsyncIterator[Floor]:
    """Give a ledger whose first settlement is refused."""
    async with floor_in(home) as floor:
        writer = RefusedOnceWriter(floor.ledger, settle_seconds=SETTLE_SECONDS)
        floor.bench = replace(floor.bench, writer=writer)
        yield floor


async def test_an_answer_that_was_heard_is_settled_as_it_was_heard(floor: Floor) -> None:
    reference = await floor.institution("A")

    [settlement] = await (await floor.conversation()).run()

    operation, binding = await floor.operation(reference), await floor.binding(reference)
    assert settlement.outcome is Outcome.DONE
    assert (operation.state, operation.failures) == (State.DONE, 0)
    assert binding is not None
    assert binding.state is BindingState.LIVE
    assert await floor.exchanges() == ["GET /institutions", "POST /institutions"]
