import json
import logging

import pytest

from sync.telemetry import log_signals
from sync.telemetry.signals import TenantPaused
from tests.sync.cli.conftest import Command


def test_where_nobody_watches_the_log_is_json_lines_on_standard_error(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    command("config", "show")

    log_signals()(TenantPaused(2.0))
    logging.getLogger("aiohttp.client").warning("noise")
    logging.getLogger("elsewhere").warning("heard %s", "too")

    written = capsys.readouterr()
    first, second = [json.loads(line) for line in written.err.splitlines()]
    assert written.out == ""
    assert (first["event"], first["level"], first["seconds"]) == ("tenant_paused", "warning", 2.0)
    assert second["event"] == "heard too"


def test_people_can_ask_for_text(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    command("--log-format", "human", "config", "show")

    log_signals()(TenantPaused(2.0))

    told = capsys.readouterr().err
    assert "tenant_paused" in told
    assert not told.startswith("{")


def test_what_is_below_the_level_is_not_written(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    command("--log-level", "error", "config", "show")

    log_signals()(TenantPaused(2.0))

    assert capsys.readouterr().err == ""


def test_a_logged_error_shows_no_locals(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    command("config", "show")
    secret = "open sesame"

    try:
        raise ValueError(len(secret))
    except ValueError:
        logging.getLogger("elsewhere").exception("failed")

    told = capsys.readouterr().err
    assert "ValueError" in told
    assert "sesame" not in told.replace('secret = \\"open sesame\\"', "")
