"""Faults on chosen calls: which call, which fault, decided from counts and seeded dice."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from random import Random

from sync.errors import InputError
from sync.simulator.message import SimulatedRequest

# Kinds that answer without doing the work, that do the work first, and that do it later.
BEFORE_KINDS = ("error_before", "cut_before", "html_before", "throttle", "expire_tokens")
AFTER_KINDS = ("error_after", "cut_after", "html_after", "stall_after")
LATER_KINDS = ("stall_before", "late")
KINDS = (*BEFORE_KINDS, *AFTER_KINDS, *LATER_KINDS)
_RETRY_AFTER = ("none", "seconds", "date")
_NUMBERS = {"nth": int, "every": int, "times": int, "status": int}
_FRACTIONS = {"probability": float, "seconds": float}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault and the calls it strikes.

    A call is struck when method and path fit and it is the `nth` fitting call, or one of
    `every` so many, or the dice say so (`probability`); with none of the three, always. `times`
    bounds how often. `method` is `writes` (default), `any`, or a method; `path` may hold `*`.

    Kinds: `error_before`, `error_after` (`status`, 500 by default, before or after the
    effect), `cut_before`, `cut_after`, `html_before`, `html_after` (status 200 with a page),
    `stall_before`, `stall_after` (`seconds`), `late` (connection cut at once, effect `seconds`
    later), `throttle` (429; `retry_after` is `none`, `seconds` or `date`), `expire_tokens`
    (401, and every token is void).
    """

    kind: str
    method: str = "writes"
    path: str = "*"
    nth: int | None = None
    every: int | None = None
    probability: float | None = None
    times: int | None = None
    seconds: float = 1.0
    status: int = 500
    retry_after: str = "none"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"There is no fault {self.kind!r}. Choose from: {', '.join(KINDS)}.")
        if self.retry_after not in _RETRY_AFTER:
            raise InputError(f"retry_after is one of {', '.join(_RETRY_AFTER)}.")
        if min(self._count(self.nth), self._count(self.every)) < 1 or self.seconds < 0:
            raise InputError("nth and every start at 1, and seconds at 0.")
        if not 0 <= (self.probability or 0) <= 1:
            raise InputError("A probability lies between 0 and 1.")

    @staticmethod
    def _count(number: int | None) -> int:
        return 1 if number is None else number

    def fits(self, request: SimulatedRequest) -> bool:
        """Tell whether the fault is meant for calls like this one."""
        if self.path == "*" and request.path.startswith(("/oauth/", "/auth/")):
            return False
        is_method = self.method == "any" or (
            request.is_unsafe if self.method == "writes" else request.method == self.method
        )
        return is_method and fnmatchcase(request.path, self.path)


def parse_faults(text: str) -> tuple[Fault, ...]:
    """Return the faults of a text such as `cut_after:nth=3;throttle:every=10,method=any`."""
    if text in {"", "off"}:
        return ()
    return tuple(_parse(part.strip()) for part in text.split(";"))


def read_fault(values: Mapping[str, object]) -> Fault:
    """Return the fault described by names and values, as JSON gives them."""
    known = {item.name for item in fields(Fault)}
    unknown = [name for name in values if name not in known]
    if unknown or "kind" not in values:
        raise InputError(f"A fault needs kind, and may have: {', '.join(sorted(known))}.")
    try:
        numbers = {name: _NUMBERS[name](str(values[name])) for name in _NUMBERS if name in values}
        fractions = {
            name: _FRACTIONS[name](str(values[name])) for name in _FRACTIONS if name in values
        }
    except ValueError as error:
        raise InputError("nth, every, times and status are whole numbers.") from error
    texts = {
        name: str(values[name])
        for name in ("kind", "method", "path", "retry_after")
        if name in values
    }
    return Fault(**texts, **numbers, **fractions)  # type: ignore[arg-type]


def _parse(text: str) -> Fault:
    kind, _, options = text.partition(":")
    pairs = [option.partition("=") for option in options.split(",") if option]
    if any(not separator for _, separator, _ in pairs):
        raise InputError(f"Write a fault as kind:name=value,name=value, not {text!r}.")
    return read_fault({"kind": kind, **{name.strip(): value.strip() for name, _, value in pairs}})


class FaultEngine:
    """Remembers how many calls each fault has seen and decides which call it strikes."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults = tuple(faults)
        self._seen = [0] * len(self._faults)
        self._struck = [0] * len(self._faults)

    def choose(self, request: SimulatedRequest, rng: Random) -> Fault | None:
        """Return the fault that strikes this call, if any; the first listed wins."""
        chosen: Fault | None = None
        for index, fault in enumerate(self._faults):
            if not fault.fits(request):
                continue
            self._seen[index] += 1
            if chosen is None and self._strikes(index, fault, rng):
                self._struck[index] += 1
                chosen = fault
        return chosen

    def _strikes(self, index: int, fault: Fault, rng: Random) -> bool:
        if fault.times is not None and self._struck[index] >= fault.times:
            return False
        if fault.nth is not None:
            return self._seen[index] == fault.nth
        if fault.every is not None:
            return self._seen[index] % fault.every == 0
        return fault.probability is None or rng.random() < fault.probability
