"""One trial: two terms of a small university under some positions of the switches."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sync.simulator import alternatives
from tests.sync.system.practice import Practice, practising
from tests.sync.system.university import FIRST_TERM, SECOND_TERM

CHOICES: Final = alternatives()
CERTIFICATES: Final = ("D-1", "D-2", "D-3")
REFUSING: Final = frozenset({"finish_strict", "status_strict"})
"""Positions of `issue_fields` under which no certificate can be issued the way it is asked for."""
DATED: Final = "issued_at is"
"""What differs where DokStamp dates certificates itself."""
RUNS_MAX: Final = 6
HURRIED: Final[Mapping[str, Any]] = {
    "speed": 100,
    "request_timeout_seconds": 1000,
    "patience_seconds": 6000,
}


async def trial(folder: Path, row: Mapping[str, str]) -> list[str]:
    """Return everything that is not as it should be under these positions."""
    mode: dict[str, Any] = {"auth_mode": "login"} if row.get("edition") == "old" else {}
    async with practising(folder, switches=dict(row), **HURRIED, **mode) as practice:
        if row.get("issue_fields") in REFUSING:
            return await _refused(practice)
        found: list[str] = []
        for term in (FIRST_TERM, SECOND_TERM):
            await practice.ingest(term)
            found += await _ended(practice, 0)
        return found + await _faults(practice, row) + await _second(practice)


async def _refused(practice: Practice) -> list[str]:
    await practice.ingest(FIRST_TERM)
    found = await _ended(practice, 3)
    wanted = {f"{name} issue": "held issue_style_refused" for name in CERTIFICATES}
    held = await practice.unsettled()
    found += [] if held == wanted else [f"held: {held}"]
    return found + await practice.faults(except_for=CERTIFICATES) + await _second(practice)


async def _ended(practice: Practice, wanted: int) -> list[str]:
    """Synchronise until nothing is left for later; tell if that does not end as it should."""
    for _ in range(RUNS_MAX):
        report = await practice.sync()
        if report.exit != 75:
            break
    return [] if report.exit == wanted else [f"sync ended with {report.exit}, not {wanted}"]


async def _faults(practice: Practice, row: Mapping[str, str]) -> list[str]:
    found = await practice.faults()
    is_dated = row.get("issue_fields") == "finish"
    return [each for each in found if not (is_dated and DATED in each)]


async def _second(practice: Practice) -> list[str]:
    """Tell whether another run changes anything; a late look only reads."""
    calls = (await practice.sync()).calls
    return [] if set(calls) <= {"GET"} else [f"a second sync sent {calls}"]
