"""The events of a seed in the order in which they arrive: out of turn and repeated, too."""

from collections.abc import Sequence
from random import Random
from typing import Final

from tests.simulation.actions import ACTIONS, found
from tests.simulation.workload import Told, University

SHIFT_MAX: Final = 4
"""How many places an event may arrive out of its turn."""


def history(seed: int, *, steps: int, reorders: bool) -> list[Told]:
    """Return the events of a seed in the order in which they arrive."""
    rng = Random(f"history {seed}")
    university = University(rng, has_sequences=reorders or rng.random() < 0.3)
    found(university)
    acts, weights = zip(*ACTIONS, strict=True)
    for _ in range(steps):
        rng.choices(acts, weights)[0](university)
    told = university.told
    if reorders:
        told = _reordered(told, rng)
    return _repeated(told, rng)


def displaced(told: Sequence[Told]) -> int:
    """Return how many events arrive after one that was told later."""
    last = count = 0
    for each in told:
        number = int(each.event["id"].removeprefix("e-"))
        count += number < last and not each.is_again
        last = max(last, number)
    return count


def _reordered(told: list[Told], rng: Random) -> list[Told]:
    arrived = list(told)
    for index in range(len(arrived)):
        if not arrived[index].may_move or rng.random() > 0.15:
            continue
        last = index
        while last + 1 < len(arrived) and last - index < SHIFT_MAX and arrived[last + 1].may_move:
            last += 1
        arrived.insert(rng.randint(index, last), arrived.pop(index))
    return arrived


def _repeated(told: list[Told], rng: Random) -> list[Told]:
    arrived: list[Told] = []
    for each in told:
        arrived.append(each)
        if rng.random() < 0.05:
            arrived.append(Told(rng.choice(arrived).event, is_again=True))
    return arrived
