"""`init`: make the ledger and its key, or bring them up to this version."""

from typing import Any

import click

from ledger.home import initialise
from sync.cli import interrupt
from sync.cli.output import Output, warn, with_output
from sync.cli.shell import Shell
from sync.runtime.assembly import open_ledger
from sync.runtime.settings import Settings


@click.command()
@with_output()
@click.pass_obj
def init(shell: Shell, *, output: Output) -> None:
    """Make the ledger's database and key file; again, it migrates what is old."""
    settings = shell.settings()
    made = interrupt.run(_init(settings))
    output.one(made, _text(made))
    if made["created"] and made["key_file"]:
        warn(
            f"keep a copy of {made['key_file']} in a safe place of its own: "
            "without it the ledger cannot be read"
        )


async def _init(settings: Settings) -> dict[str, Any]:
    is_new = await initialise(settings.address)
    # Opened once, so that a key file of another ledger is told now and not at the next step.
    async with open_ledger(settings) as ledger:
        return {
            "ledger": ledger.ledger_id,
            "database": str(settings.address.place),
            "key_file": str(settings.address.key_file) if settings.key_source.is_file else None,
            "created": is_new,
        }


def _text(made: dict[str, Any]) -> str:
    did = "made" if made["created"] else "is there already, up to date:"
    key = f"key file {made['key_file']}" if made["key_file"] else "its key given in LEDGER_KEY"
    return f"ledger {made['ledger']} {did} {made['database']}, {key}"
