"""A loop as a service: restarted when it dies, stopped without a trace, its trouble on show."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from ledger.clock import Clock
from ledger.errors import EventError, LedgerBusyError, LedgerError
from ledger.shield import to_the_end
from sync.errors import ConfigurationError

RESTART_SECONDS_MIN: Final = 0.5
RESTART_SECONDS_MAX: Final = 30.0


@dataclass(slots=True)
class Pulse:
    """How a service fares."""

    deaths: int = 0
    deaths_in_a_row: int = 0
    last_error: Exception | None = None
    is_alive: bool = True


class Service:
    """Runs one round of work after another until it is stopped.

    What a person must mend first (disk, key, settings, damage) ends the service; anything else is
    taken for passing trouble, and the loop begins again after a pause. So does it where what it
    waited for was cancelled, by whomever: only who cancels the service itself ends it.
    """

    def __init__(
        self,
        name: str,
        turn: Callable[[], Awaitable[None]],
        *,
        clock: Clock,
        died: Callable[[str, Exception], None] | None = None,
    ) -> None:
        self.name = name
        self.pulse = Pulse()
        self._turn = turn
        self._clock = clock
        self._died = died or (lambda _name, _error: None)

    async def run(self) -> None:
        """Work until cancelled; raises what a person must mend."""
        while True:
            try:
                await self._turn()
                self.pulse.is_alive = True
                self.pulse.deaths_in_a_row = 0
            except (LedgerBusyError, EventError) as error:
                await self._rest(error)
            except (LedgerError, ConfigurationError) as error:
                self._note(error)
                raise
            except Exception as error:  # noqa: BLE001 - reported, and tried again after a pause
                await self._rest(error)
            except asyncio.CancelledError:
                if _is_cancelled():
                    raise
                await self._rest(InterruptedError("what it waited for was cancelled"))

    async def _rest(self, error: Exception) -> None:
        self._note(error)
        doublings = min(self.pulse.deaths_in_a_row - 1, 10)
        await self._clock.sleep(min(RESTART_SECONDS_MAX, RESTART_SECONDS_MIN * 2.0**doublings))

    def _note(self, error: Exception) -> None:
        self.pulse.deaths += 1
        self.pulse.deaths_in_a_row += 1
        self.pulse.last_error = error
        self.pulse.is_alive = False
        self._died(self.name, error)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


async def cancel(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until the last of them is gone."""
    for task in tasks:
        task.cancel()
    await to_the_end(_gone(tasks))


async def _gone(tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
