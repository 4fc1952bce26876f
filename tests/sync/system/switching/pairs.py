"""Which positions of switches are tried together: every pair of positions in some row.

A covering array, found greedily: each row starts with a pair that no row has yet, and then takes,
switch by switch, the position that brings the most new pairs.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from random import Random

Choices = Mapping[str, Sequence[str]]
"""Every switch with its positions."""
Position = tuple[str, str]
Row = dict[str, str]
Pair = frozenset[Position]


def all_pairs(choices: Choices) -> Iterator[Row]:
    """Give every two positions of two different switches, the rest left as it is."""
    for one, other in combinations(choices, 2):
        for here in choices[one]:
            for there in choices[other]:
                yield {one: here, other: there}


def pairs_in(row: Row) -> set[Pair]:
    """Return the pairs of positions that a row tries."""
    return {frozenset(pair) for pair in combinations(row.items(), 2)}


def covering(choices: Choices, *, seed: int = 1) -> list[Row]:
    """Return rows, each a position of every switch, that try every pair of positions."""
    rng = Random(seed)
    # In an order, so that the same seed gives the same rows in every process.
    left = {pair: None for row in all_pairs(choices) for pair in pairs_in(row)}
    rows: list[Row] = []
    while left:
        row = _row(choices, left, rng)
        for pair in pairs_in(row):
            left.pop(pair, None)
        rows.append({name: row[name] for name in choices})
    return rows


def _row(choices: Choices, left: Mapping[Pair, None], rng: Random) -> Row:
    # The first that is left is in it, so that every row brings something and there is an end.
    row: Row = dict(next(iter(left)))
    others = [name for name in choices if name not in row]
    rng.shuffle(others)
    # Those with many positions first: they have the most pairs to find a place for.
    for name in sorted(others, key=lambda name: -len(choices[name])):
        row[name] = max(choices[name], key=lambda value: _gain(row, (name, value), left))
    return row


def _gain(row: Row, position: Position, left: Mapping[Pair, None]) -> int:
    return sum(frozenset((position, other)) in left for other in row.items())
