"""`config show`: every setting, its value, and where that comes from."""

import click

from sync.cli.output import Output, Row, with_output
from sync.cli.shell import Shell
from sync.runtime.database_address import shown_address
from sync.runtime.secret import Secret
from sync.runtime.settings import Settings


@click.group()
def config() -> None:
    """The settings in force."""


@config.command("show")
@with_output()
@click.pass_obj
def show_settings(shell: Shell, *, output: Output) -> None:
    """Print every setting with its origin; secrets stay hidden."""
    settings = shell.settings()
    rows = [_row(settings, name) for name in Settings.model_fields]
    output.one({"settings": rows}, lambda shown: "\n".join(map(_line, shown["settings"])))


def _row(settings: Settings, name: str) -> dict[str, object]:
    value = _value(settings, name)
    # An empty secret is told apart from a hidden one: that one is missing is worth knowing.
    shown = (repr(value) if value else None) if isinstance(value, Secret) else value
    return {"setting": name.upper(), "value": shown, "origin": settings.origin(name)}


def _value(settings: Settings, name: str) -> object:
    match name:
        case "ledger_key_file":
            return settings.address.key_file
        case "ledger_database":
            return shown_address(settings.ledger_database)
        case _:
            return getattr(settings, name)


def _line(row: Row) -> str:
    value = "" if row["value"] is None else row["value"]
    return f"{row['setting']} = {value}  ({row['origin']})"
