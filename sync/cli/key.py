"""`key`: the master key, and another one in its place."""

import click

from sync.cli import interrupt
from sync.cli.output import Output, Row, warn, with_output
from sync.cli.shell import Shell
from sync.runtime.assembly import open_ledger
from sync.runtime.settings import Settings


@click.group()
def key() -> None:
    """The master key, which wraps every other key."""


@key.command()
@click.option("--yes", "is_yes", is_flag=True, help="Do not ask.")
@with_output()
@click.pass_obj
def rotate(shell: Shell, *, is_yes: bool, output: Output) -> None:
    """Put a new master key in the place of the one in use.

    A key file is replaced by a new one. A key given in LEDGER_KEY is followed by the one given in
    LEDGER_KEY_NEXT; hosts that have both set work with either. The log does not change.
    """
    settings = shell.settings()
    shell.confirm("Replace the master key? The one in use will open nothing.", is_yes=is_yes)
    rotated = interrupt.run(_rotate(settings))
    output.one(rotated, _text)
    warn(_advice(rotated))


async def _rotate(settings: Settings) -> Row:
    async with open_ledger(settings) as ledger:
        count = await ledger.vault.rotate()
        is_file, generations = settings.key_source.is_file, ledger.vault.generation_file
        return {
            "ledger": ledger.ledger_id,
            "key_file": str(settings.address.key_file) if is_file else None,
            "generation_file": None if generations is None else str(generations),
            "rewrapped": count,
        }


def _text(rotated: Row) -> str:
    wrapped = f"{rotated['rewrapped']} keys are"
    if rotated["generation_file"] is not None:
        wrapped = f"the generation file {rotated['generation_file']} is"
    return f"the master key was replaced; {wrapped} wrapped by the new one"


def _advice(rotated: Row) -> str:
    if rotated["key_file"] is None:
        return "set LEDGER_KEY to the value of LEDGER_KEY_NEXT now, on every host, and unset that"
    files = " and ".join(
        rotated[name] for name in ("key_file", "generation_file") if rotated[name] is not None
    )
    return (
        f"keep a copy of {files} in a safe place of its own, and bring it to the other hosts: "
        "what was there before opens nothing"
    )
