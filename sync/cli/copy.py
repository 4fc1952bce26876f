"""`copy`: move the ledger to another place, on a server or in a file."""

from pathlib import Path

import click

from ledger.moving.copy_worker import Copied
from sync.cli import interrupt
from sync.cli.output import Output, Row, warn, with_output
from sync.cli.progress import metering
from sync.cli.shell import Shell
from sync.runtime.moving import copy as copy_ledger
from sync.runtime.settings import Settings


@click.command()
@click.option("--to", "url", required=True, metavar="URL", help="An empty place: file or server.")
@click.option(
    "--to-key-file",
    "key_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The key file of the copy, made if there is none; otherwise the keys stay the same.",
)
@with_output()
@click.pass_obj
def copy(shell: Shell, *, url: str, key_file: Path | None, output: Output) -> None:
    """Copy the ledger to an empty place: the same log, root and answers. Stop `run` first."""
    copied = interrupt.run(_copy(shell.settings(), url, key_file))
    output.one(copied, _text)
    warn("from now on work with one of the two only: two ledgers would both write to DokStamp")
    settings = shell.settings()
    if key_file is None and settings.key_source.is_file:
        warn(
            f"both are opened by {settings.address.key_file}, and share what is kept beside "
            "it: keep that as long as either is there; --to-key-file gives a copy keys of its own"
        )


async def _copy(settings: Settings, url: str, key_file: Path | None) -> Copied:
    with metering() as meter:
        return await copy_ledger(
            settings,
            url,
            key_file=key_file,
            announce=lambda done, total: meter.show("events copied", done=done, total=total),
        )


def _text(copied: Row) -> str:
    return f"ledger {copied['ledger']} copied: {copied['size']} events, root {copied['root']}"
