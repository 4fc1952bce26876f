"""What a practice DokStamp remembers of its callers, and what that tells of their conversations."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Chains = Mapping[str, Sequence["Call"]]


@dataclass(frozen=True, slots=True)
class Call:
    """One request for a resource: whose it was, when, and which records it was about."""

    caller: int
    """Which host, counted by the tokens in the order of their first use."""
    begun: float
    """On the monotonic clock, which all processes of a machine share."""
    ended: float
    method: str
    path: str
    asked: tuple[str, ...]
    """Values of the query, in lower case."""
    wrote: tuple[str, ...]
    """Records that it changed, as `table/uuid`."""

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "Call":
        """Return the call that was carried as JSON."""
        lists = {name: tuple(answer[name]) for name in ("asked", "wrote")}
        return cls(**{**answer, **lists})

    @property
    def is_search(self) -> bool:
        """Tell whether it looks for a record by its key."""
        return self.method == "GET" and _UUID.search(self.path) is None


def chains(calls: Sequence[Call], keys: Mapping[str, str]) -> Chains:
    """Return the calls about each record, in the order of their arrival.

    `keys` leads from what a search asks for (an e-mail address, a code) to the record found or
    made for it.
    """
    found: dict[str, list[Call]] = defaultdict(list)
    for call in sorted(calls, key=lambda each: each.begun):
        for record in _records(call, keys):
            found[record].append(call)
    return found


def _records(call: Call, keys: Mapping[str, str]) -> set[str]:
    table = call.path.strip("/").split("/")[0]
    named = {f"{table}/{uuid}" for uuid in _UUID.findall(call.path)[:1]}
    sought = {keys[f"{table}/{value}"] for value in call.asked if f"{table}/{value}" in keys}
    return {*call.wrote, *named, *sought}


def conflicts(found: Chains) -> list[str]:
    """Tell where two hosts were in a conversation about one record at once."""
    return [fault for record, calls in found.items() for fault in _conflicts(record, calls)]


def _conflicts(record: str, calls: Sequence[Call]) -> Iterator[str]:
    for earlier, later in pairwise(calls):
        if earlier.caller != later.caller and later.begun < earlier.ended:
            yield f"{record}: two hosts ask at once, {later.method} during {earlier.method}"
    searched: dict[int, int] = {}
    for at, call in enumerate(calls):
        if call.is_search:
            searched[call.caller] = at
        elif call.caller in searched:
            begun = searched.pop(call.caller)
            if any(each.caller != call.caller for each in calls[begun:at]):
                yield f"{record}: another host came between search and {call.method}"


def handed_over(found: Chains) -> int:
    """Return how many records were worked on by more than one host."""
    return sum(len({call.caller for call in calls}) > 1 for calls in found.values())
