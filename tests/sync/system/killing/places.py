"""Which points are tried when not all of them are: every place before any place comes again."""

from collections.abc import Sequence
from random import Random

THEN = " | then "
"""What stands between the names of two points at which one after the other dies."""
OPENING_POINTS = 20
"""About how many points a run passes before it does anything that the one before did not."""


def spread_of(points: Sequence[str], count: int, *, rng: Random) -> list[str]:
    """Return so many points: each place once, then its first, middle and last, then the rest."""
    places: dict[str, list[str]] = {}
    for point in points:
        places.setdefault(point.rpartition(" ")[0], []).append(point)
    rounds: list[list[str]] = [[], [], [], []]
    for found in places.values():
        marked = list(dict.fromkeys((found[0], found[-1], found[len(found) // 2])))
        rng.shuffle(marked)
        for turn, point in enumerate(marked):
            rounds[turn].append(point)
        rounds[3] += [point for point in found if point not in marked]
    for each in rounds:
        rng.shuffle(each)
    return [point for each in rounds for point in each][:count]


def twice(firsts: Sequence[str], points: Sequence[str], count: int, *, rng: Random) -> list[str]:
    """Return so many pairs: a first point, and one that the run after it passes.

    The second is named by how many points are passed before it, more often few than many: what is
    new about a recovery comes early.
    """
    if not firsts:
        return []
    places = {point: place for place, point in enumerate(points)}
    pairs = []
    for number in range(count):
        first = firsts[number % len(firsts)]
        left = len(points) - places[first]
        nth = 1 + int((OPENING_POINTS + 0.7 * left) * rng.random() ** 2)
        pairs.append(f"{first}{THEN}@{nth}")
    return pairs
