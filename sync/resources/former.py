"""Keys that a record was told to have before, by which it may still be found."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

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
    """
    by_key: dict[object, list[Data]] = {}
    for each in told:
        by_key.setdefault(key(each), []).append(each)
    for unwanted in (None, key(data)):
        by_key.pop(unwanted, None)
    return tuple(
        Former({**data, **{name: under[0][name] for name in names}}, tuple(under))
        for under in by_key.values()
    )
