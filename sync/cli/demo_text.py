"""What the demo tells people: a few calm lines for each act."""

import textwrap
from collections.abc import Mapping
from typing import Any, Final

from sync.cli.demo_stage import Stage

Facts = Mapping[str, Any]
COLUMNS: Final = 96


def opening(stage: Stage) -> str:
    """Return where everything is."""
    return (
        f"A practice DokStamp listens on {stage.address.url}; nothing leaves this machine.\n"
        f"The ledger is in {stage.folder}."
    )


def brought_in(facts: Facts) -> str:
    """Return what was taken in."""
    return _act(
        "A university arrives, out of order and with repeats",
        f"{facts['lines']} events: {facts['taken']} taken, {facts['duplicate']} known already, "
        f"{facts['quarantined']} refused",
    )


def killed(facts: Facts) -> str:
    """Return when the plug was pulled."""
    return _act(
        "The process is killed in the middle of its work (kill -9)",
        f"{facts['records']} records stood in DokStamp; calls were under way",
    )


def rode_out(cut: int, report: Facts) -> str:
    """Return how the outage went by."""
    calls = ", ".join(f"{calls} {method}" for method, calls in report.get("calls", {}).items())
    return _act(
        "Started again; then DokStamp goes away for a while",
        f"{cut} requests were cut off; nothing in doubt was sent again unseen",
        f"{report.get('done')} operations done, {report.get('waiting')} waiting, "
        f"{report.get('uncertain')} in doubt; calls: {calls}",
    )


def counted(counts: Mapping[str, int], wanted: Mapping[str, int]) -> str:
    """Return how many records of each entity stand in DokStamp."""
    width = max(map(len, wanted))
    rows = [
        f"{entity.replace('_', ' '):<{width}}  {counts[entity]:>4} of {count:>3}"
        for entity, count in wanted.items()
    ]
    return _act("What stands in DokStamp", *rows)


def changed(course: str, certificate: str, facts: Facts) -> str:
    """Return what a removal and a revocation led to."""
    return _act(
        "Things change",
        f"course {course} removed at the source: {facts['archived']} course archived, none deleted",
        f"certificate {certificate} revoked: {facts['revoked']} certificate revoked",
    )


def repeated(writes: int) -> str:
    """Return what a sync without news sends."""
    return _act("A second sync", f"{writes} writes sent")


def examined(diploma: str, facts: Facts) -> str:
    """Return the story of a diploma, and how whole the log and the tables are."""
    verified, rebuilt = facts["verify"], facts["rebuild"]
    bad, different = verified["first_bad_position"], rebuilt["first_difference"]
    story = [line for entry in facts["timeline"] for line in _entry(entry)]
    return "\n".join(
        (
            _act(f"The story of certificate {diploma}, from its event to its address", *story),
            _act(
                "Is the log whole, and do the tables agree with it?",
                f"audit verify: {verified['checked']} of {verified['size']} events checked, "
                f"{'all are what was written' if bad is None else f'damage at {bad}'}",
                f"rebuild --check: {rebuilt['compared']} rows compared, "
                f"{'no difference' if different is None else f'different: {different}'}",
            ),
        )
    )


def judged(facts: Facts) -> str:
    """Return what DokStamp's own journal says."""
    others = "".join(f", {count} {name}" for name, count in facts["faults"].items())
    return _act(
        "DokStamp's own journal", f"{facts['duplicates']} duplicates, {facts['lost']} lost{others}"
    )


def closing(missed: list[str], seconds: float) -> str:
    """Return the last word."""
    if not missed:
        return f"\nAll of it holds, after {seconds} s."
    return "\n".join(["\nThis should hold and does not:", *(f"  {each}" for each in missed)])


def _act(title: str, *lines: str) -> str:
    return "\n".join([f"\n{title}", *(f"  {line}" for line in lines)])


def _entry(entry: Facts) -> list[str]:
    time = str(entry["time"])[11:19]
    text = f"{entry['position']:>5}  {time}  {entry['type']:<22}  {entry['summary']}"
    calls = [
        f"{'':>17}{each['method']} {each['path']} -> {each['status']}"
        for each in entry["exchanges"]
    ]
    # An address is worth nothing when it is cut in two.
    return [
        *textwrap.wrap(
            text, COLUMNS, subsequent_indent=" " * 41,
            break_long_words=False, break_on_hyphens=False,
        ),
        *calls,
    ]  # fmt: skip
