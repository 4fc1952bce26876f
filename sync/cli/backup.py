"""`backup`: everything but the key file, whole and of one moment, while hosts go on."""

from pathlib import Path

import click

from ledger.moving.backup_worker import BackedUp
from sync.cli import interrupt
from sync.cli.output import Output, Row, warn, with_output
from sync.cli.shell import Shell
from sync.runtime.assembly import open_ledger
from sync.runtime.moving import backup as write_backup
from sync.runtime.settings import Settings


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@with_output()
@click.pass_obj
def backup(shell: Shell, *, folder: Path, output: Output) -> None:
    """Write a backup to DIR, a folder that is not there yet; a `run` may go on meanwhile."""
    settings = shell.settings()
    made = interrupt.run(_backup(settings, folder))
    output.one(made, _text)
    warn(
        f"the key file {settings.address.key_file} is not in it: keep a copy of that, and of the "
        "files beside it that begin with its name, apart from the backup"
    )


async def _backup(settings: Settings, folder: Path) -> BackedUp:
    async with open_ledger(settings) as ledger:
        return await write_backup(ledger, settings, folder)


def _text(made: Row) -> str:
    return f"ledger {made['ledger']} backed up to {made['folder']}: {made['size']} events"
