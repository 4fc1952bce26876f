"""`status`: what is known, owed, waiting, held and refused."""

from collections.abc import Mapping
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
    output.one(interrupt.run(_status(shell.settings())), _text)


async def _status(settings: Settings) -> Answer:
    async with open_ledger(settings) as ledger:
        return await look(ledger, key_file=settings.address.key_file)


def _text(row: Row) -> str:
    lines = {
        "ledger": row["ledger"],
        "tenant": row["tenant"] or "none yet",
        "log": f"{row['log']['size']} events, root {row['log']['root']}",
        "to plan": f"{row['projection']['lag']} events",
        "operations": _counts(row["operations"]),
        "bindings": _counts(row["bindings"]),
        "quarantine": f"{row['quarantine']} events",
        "circuit": _circuit(row),
        "late looks": row["late_looks"],
        "checkpoint": _checkpoint(row["checkpoint"]),
    }
    return Output.described(lines)


def _circuit(row: Row) -> str:
    outage = row["outage"]
    if outage is None:
        return str(row["circuit"])
    which = "no call goes" if outage["calls"] == "all" else "nothing is written, reads go"
    tried = f"; tried {outage['probes']} times since"
    if outage["next_probe"] is not None:
        tried += f", next at {outage['next_probe']}"
    return f"{row['circuit']} since {outage['since']}: {which}, for {outage['why']}{tried}"


def _checkpoint(found: Mapping[str, Any]) -> str:
    if found["why"]:
        return str(found["why"])
    return "none published" if found["published"] is None else f"of {found['published']} events"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "none"
