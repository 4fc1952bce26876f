"""`status`: what is known, owed, waiting, held and refused."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from sync.cli import interrupt
from sync.cli.output import Output, Row, with_output
from sync.cli.shell import Shell
from sync.runtime.assembly import open_ledger
from sync.runtime.page import Answer
from sync.runtime.settings import Settings
from sync.runtime.status import status as look


@click.command()
@with_output()
@click.pass_obj
def status(shell: Shell, *, output: Output) -> None:
    """Show where everything stands; it may be asked at any time."""
    output.one(interrupt.run(_status(shell.settings())), in_words)


async def _status(settings: Settings) -> Answer:
    async with open_ledger(settings) as ledger:
        return await look(ledger, key_file=settings.address.key_file)


def in_words(row: Row) -> str:
    """Return the status as people read it."""
    lines = {
        "ledger": row["ledger"],
        "tenant": row["tenant"] or "none yet",
        "log": f"{row['log']['size']} events, root {row['log']['root']}",
        "to plan": f"{row['projection']['lag']} events",
        "operations": _counts(row["operations"]),
        "bindings": _counts(row["bindings"]),
        "quarantine": f"{row['quarantine']} events",
        "circuit": _circuit(row),
        **_stopped(row["stopped"]),
        "late looks": row["late_looks"],
        "checkpoint": _checkpoint(row["checkpoint"]),
    }
    if row["accepted_older"] is not None:
        lines["older ledger"] = _older(row["accepted_older"])
    return Output.described(lines)


def _circuit(row: Row) -> str:
    outage = row["outage"]
    if outage is None:
        return f"{row['circuit']}{_heard(row['hosts'][0]) if row['hosts'] else ''}"
    which = "no call goes" if outage["calls"] == "all" else "nothing is written, reads go"
    tried = f"; tried {outage['probes']} times since"
    if outage["next_probe"] is not None:
        tried += f", next at {outage['next_probe']}"
    told = f"{row['circuit']} since {outage['since']}: {which}, for {outage['why']}{tried}"
    return told + _heard(outage) + _failing(outage.get("failing", ()))


def _stopped(told: Mapping[str, Any] | None) -> dict[str, str]:
    """Return why nothing is sent until a person has mended something, where that is so."""
    if told is None:
        return {}
    words = f"nothing is sent since {told['since']}: {told['why']}"
    return {"stopped": f"{words} (as {told['host']} said; over once a call succeeds)"}


def _heard(said: Mapping[str, Any]) -> str:
    """Return whose word it is and how old, where it is not what this process sees."""
    if "host" not in said:
        return ""
    return f" (as {said['host']} said {said['seen_seconds_ago']} seconds ago)"


def _failing(operations: Sequence[Mapping[str, Any]]) -> str:
    """Return which operations keep failing while an outage of writes is assumed."""
    if not operations:
        return ""
    named = ", ".join(
        f"{each['entity']} {each['source_id']} (attempts: {each['attempts']})"
        for each in operations
    )
    return (
        f". An outage of writes is assumed, so nothing is held for it. Tried in vain: {named}. "
        "If DokStamp's dashboard takes changes, the cause lies with these: see `outbox show`"
    )


def _checkpoint(found: Mapping[str, Any]) -> str:
    if found["why"]:
        return str(found["why"])
    return "none published" if found["published"] is None else f"of {found['published']} events"


def _older(accepted: Mapping[str, int]) -> str:
    return (
        f"accepted at event {accepted['position']}; records in doubt since: "
        f"{accepted['in_doubt']}. Certificates that the lost part issued and nobody told again are "
        "in DokStamp only: compare its own list with `mapping list --entity certificate`, then say "
        "so with `restore --compared`"
    )


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "none"
