"""How results leave the program: one JSON object, a line for each, or a table for people."""

import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from functools import wraps
from pathlib import PurePath
from typing import Any, Final, ParamSpec, TypeVar

import click
import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

P = ParamSpec("P")
R = TypeVar("R")
Row = Mapping[str, Any]

PIPE_COLUMNS: Final = 240
"""How wide a table may be when no terminal says how wide it is."""
JSON_ROWS_MAX: Final = 1000
TEXT_ROWS_MAX: Final = 50


class Style(StrEnum):
    """Who reads the output."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class Output:
    """Writes results to standard output in one style."""

    style: Style = Style.TEXT

    @property
    def is_json(self) -> bool:
        """Whether a program reads it."""
        return self.style is not Style.TEXT

    def flush(self) -> None:
        """Let a reader at the other end of a pipe see what was written."""
        sys.stdout.flush()

    @property
    def rows_max(self) -> int | None:
        """How many rows of a list are shown unless more are asked for; lines have no bound."""
        return {Style.TEXT: TEXT_ROWS_MAX, Style.JSON: JSON_ROWS_MAX, Style.JSONL: None}[self.style]

    def one(self, value: object, text: str | Callable[[Row], str]) -> None:
        """Write one object, or in its place the text for people."""
        if self.is_json:
            write_json(value)
            return
        say(text if isinstance(text, str) else text(plain(value)))

    @staticmethod
    def described(row: Row) -> str:
        """Return a row as a list of names and values, one on each line."""
        width = max((len(name) for name in row), default=0)
        return "\n".join(f"{name:<{width}}  {_cell(value)}" for name, value in row.items())

    async def many(self, rows: AsyncIterator[Row], columns: Sequence[str]) -> None:
        """Write every row: as lines at once, or whole as an object or table."""
        if self.style is Style.TEXT:
            show(table([plain(row) async for row in rows], columns))
        else:
            await self.told(rows, str)

    async def told(self, rows: AsyncIterator[Row], text: Callable[[Row], str]) -> None:
        """Write every row as soon as it is there, except into the one object of `--json`."""
        if self.style is Style.JSON:
            write_json({"items": [plain(row) async for row in rows]})
            return
        async for row in rows:
            if self.style is Style.JSONL:
                write_json(row)
            else:
                say(text(plain(row)))


def with_output(*, lines: bool = False) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Give a verb `--json`, with `lines` also `--jsonl`, and hand it the `output` to write to."""

    def decorate(function: Callable[..., R]) -> Callable[..., R]:
        @wraps(function)
        def wrapped(*arguments: Any, is_json: bool, is_jsonl: bool = False, **named: Any) -> R:  # noqa: ANN401
            style = Style.JSONL if is_jsonl else Style.JSON if is_json else Style.TEXT
            return function(*arguments, output=Output(style), **named)

        wrapped = click.option("--json", "is_json", is_flag=True, help="Print one JSON object.")(
            wrapped
        )
        if lines:
            wrapped = click.option(
                "--jsonl", "is_jsonl", is_flag=True, help="Print one JSON object per line."
            )(wrapped)
        return wrapped

    return decorate


def write_json(value: object) -> None:
    """Write one line of JSON."""
    sys.stdout.write(_encode(value).decode() + "\n")


def plain(value: object) -> dict[str, Any]:
    """Return an object as the JSON says it, for tables and texts."""
    decoded: dict[str, Any] = orjson.loads(_encode(value))
    return decoded


def say(text: str) -> None:
    """Write a line for people."""
    sys.stdout.write(text + "\n")


def warn(text: str) -> None:
    """Write a line about the work to standard error."""
    sys.stderr.write(text + "\n")


def table(rows: Sequence[Row], columns: Sequence[str]) -> Table:
    """Return rows as a table; what they hold is text and never markup."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        shown.add_row(*(Text(_cell(row.get(column))) for column in columns))
    return shown


def show(shown: Table) -> None:
    """Write a table as wide as the terminal, or wide enough for a pipe."""
    is_terminal = sys.stdout.isatty()
    console = Console(
        width=None if is_terminal else PIPE_COLUMNS,
        force_terminal=is_terminal,
        markup=False,
        highlight=False,
    )
    # Captured, because rich would end the program itself when a pipe breaks.
    with console.capture() as captured:
        console.print(shown)
    sys.stdout.write("\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n")


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case dict():
            return " ".join(str(part) for part in value.values() if part not in (None, ""))
        case list():
            return ", ".join(_cell(part) for part in value)
        case _:
            return str(value)


def _encode(value: object) -> bytes:
    # Passed through, because what has its own idea of its JSON form is asked for it.
    return orjson.dumps(value, default=_other, option=orjson.OPT_PASSTHROUGH_DATACLASS)


def _other(value: object) -> object:
    """Return what JSON can say of a value that it has no form for."""
    to_json = getattr(value, "to_json", None)
    if callable(to_json):
        return to_json()
    if isinstance(value, Mapping):
        return dict(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError
