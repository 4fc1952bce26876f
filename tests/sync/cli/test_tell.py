import json

import click
import pytest

from ledger.errors import IntegrityError, LedgerBusyError
from sync.cli.exits import Exit
from sync.cli.tell import tell
from sync.errors import ConfigurationError


def test_an_error_is_one_line_that_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    code = tell(LedgerBusyError("another process writes: try again later"), ("sync",))

    assert code is Exit.LATER
    assert capsys.readouterr() == ("", "error: another process writes: try again later\n")


def test_who_asked_for_json_gets_an_object_too(capsys: pytest.CaptureFixture[str]) -> None:
    tell(ConfigurationError("set TENANT"), ("sync", "--json"))

    written = capsys.readouterr()
    assert json.loads(written.out) == {"error": {"code": "configuration", "message": "set TENANT"}}
    assert written.err == "error: set TENANT\n"


def test_an_unexpected_error_keeps_its_text_to_itself(capsys: pytest.CaptureFixture[str]) -> None:
    code = tell(ValueError("Ana Lima, born 2002-08-28"), ("sync",))

    told = capsys.readouterr().err
    assert code is Exit.UNEXPECTED
    assert "Ana" not in told
    assert "unexpected ValueError" in told
    assert "--debug" in told


def test_the_gravest_error_of_a_group_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    code = tell(ExceptionGroup("", [LedgerBusyError("busy"), IntegrityError("damaged")]), ())

    assert code is Exit.INTEGRITY
    assert capsys.readouterr().err == "error: damaged\n"


def test_a_trouble_of_the_system_names_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    code = tell(OSError(28, "No space left on device", "ledger.db"), ())

    assert code is Exit.STORAGE
    assert "at ledger.db: No space left on device" in capsys.readouterr().err


def test_an_interruption_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    code = tell(click.exceptions.Abort(), ())

    assert code is Exit.INTERRUPTED
    assert "the same command again finishes the work" in capsys.readouterr().err


def test_a_traceback_shows_no_locals(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(secret: str) -> None:
        raise RuntimeError(len(secret))

    with pytest.raises(RuntimeError) as raised:
        fail("open sesame")
    tell(raised.value, ("--debug", "sync"))

    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "open sesame" not in told.replace('fail("open sesame")', "")
