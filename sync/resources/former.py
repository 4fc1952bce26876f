"""Keys that a record was told to have before, by which it may still be found."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ledger.reference import Json
from sync.resources.fields import Data


@dataclass(frozen=True, slots=True)
class Former:
    """A key that a record was told to have before, and what was told of it under that key."""

    state: Data = field(repr=False)
    """Today's state, but for the key."""
    told: tuple[Data, ...] = field(repr=False)


def former_keys(
    data: Data, told: Iterable[Data], *, names: tuple[str, ...], key: Callable[[Data], object]
) -> tuple[Former, ...]:
    """Return each key but today's that was told of a record, in the order in which it is met.

    `names` are the fields of a key, and `key` tells of a state what makes two keys the same one.
    A key that was written in several ways is met in each of them: a search may tell them apart.
    """
    by_key: dict[object, list[Data]] = {}
    for each in told:
        by_key.setdefault(key(each), []).append(each)
    for unwanted in (None, key(data)):
        by_key.pop(unwanted, None)
    return tuple(
        Former({**data, **written}, tuple(under))
        for under in by_key.values()
        for written in _spellings(under, names)
    )


def _spellings(states: Iterable[Data], names: tuple[str, ...]) -> Iterator[dict[str, Json]]:
    values = dict.fromkeys(tuple(state[name] for name in names) for state in states)
    return (dict(zip(names, each, strict=True)) for each in values)
