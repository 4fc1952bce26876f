import io

import pytest
from rich.console import Console
from rich.progress import Progress

from sync.cli.progress import Bar, Lines, metering


def test_short_work_is_silent_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with metering() as meter:
        meter.show("events read", done=1)

    assert isinstance(meter, Lines)
    assert capsys.readouterr().err == ""


def test_a_bar_shows_how_much_is_done() -> None:
    progress = Progress(console=Console(file=io.StringIO()))
    bar = Bar(progress)

    bar.show("operations done", done=3, total=7)

    (task,) = progress.tasks
    assert (task.description, task.completed, task.total) == ("operations done", 3, 7)
