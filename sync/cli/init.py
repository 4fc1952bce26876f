"""`init`: make the ledger and its key, or bring them up to this version."""

from typing import Any, Final

import click

from ledger.home import initialise
from ledger.schema.revisions import Line
from sync.cli import interrupt
from sync.cli.output import Output, warn, with_output
from sync.cli.shell import Shell
from sync.runtime.assembly import open_ledger
from sync.runtime.settings import Settings

PARTS: Final[dict[Line, str]] = {"main": "ledger", "vault": "vault"}


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
    done = await initialise(settings.address)
    # Opened once, so that a key file of another ledger is told now and not at the next step.
    async with open_ledger(settings) as ledger:
        return {
            "ledger": ledger.ledger_id,
            "database": str(settings.address.place),
            "key_file": str(settings.address.key_file) if settings.key_source.is_file else None,
            "created": done.is_new,
            "migrated": {
                PARTS[each.line]: {"from": each.before, "to": each.after} for each in done.migrated
            },
        }


def _text(made: dict[str, Any]) -> str:
    did = "made" if made["created"] else "is there already, up to date:"
    if made["migrated"]:
        steps = [f"{what} {go['from']} to {go['to']}" for what, go in made["migrated"].items()]
        did = f"migrated ({', '.join(steps)}):"
    key = f"key file {made['key_file']}" if made["key_file"] else "its key given in LEDGER_KEY"
    return f"ledger {made['ledger']} {did} {made['database']}, {key}"
