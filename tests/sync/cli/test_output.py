import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from sync.cli.output import Output, Row, Style


@dataclass(frozen=True)
class Report:
    done: int

    def to_json(self) -> Mapping[str, object]:
        return {"done": self.done, "where": Path("x"), "names": frozenset({"b", "a"})}


async def rows() -> AsyncIterator[Row]:
    yield {"name": "[bold]C-1[/bold]", "waits_for": [{"why": "missing", "entity": "course"}]}
    yield {"name": None, "waits_for": []}


def test_an_object_is_what_it_says_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Output(Style.JSON).one(Report(2), "unused")

    assert json.loads(capsys.readouterr().out) == {"done": 2, "where": "x", "names": ["a", "b"]}


def test_people_get_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    Output().one(Report(2), lambda row: f"{row['done']} done")

    assert capsys.readouterr().out == "2 done\n"


async def test_a_list_is_one_object_or_lines(capsys: pytest.CaptureFixture[str]) -> None:
    await Output(Style.JSON).many(rows(), ("name",))
    await Output(Style.JSONL).many(rows(), ("name",))

    whole, *lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert whole == {"items": lines}
    assert len(lines) == 2


async def test_what_a_table_holds_is_text_and_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    await Output().many(rows(), ("name", "waits_for"))

    header, first, *_ = capsys.readouterr().out.splitlines()
    assert header.split() == ["name", "waits", "for"]
    assert first.split() == ["[bold]C-1[/bold]", "missing", "course"]
