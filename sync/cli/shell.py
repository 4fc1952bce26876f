"""What every verb knows of how the program was called."""

import getpass
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from sync.runtime.settings import Settings
from sync.telemetry import Announce, log_signals


@dataclass(frozen=True, slots=True)
class Shell:
    """The options that stand before the verb."""

    config_file: Path | None = None
    given: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    is_yes: bool = False

    def settings(self, **values: Any) -> Settings:  # noqa: ANN401 - checked by the settings
        """Return the settings, those given with the verb above all others."""
        chosen = {name: value for name, value in values.items() if value is not None}
        return Settings.load(self.config_file, os.environ, **{**self.given, **chosen})

    def announce(self) -> Announce:
        """Return who hears what workers tell: the log."""
        return log_signals()

    @property
    def can_ask(self) -> bool:
        """Tell whether somebody sits at a terminal who wants to be asked."""
        return not self.is_yes and sys.stdin.isatty() and sys.stderr.isatty()

    def confirm(self, question: str, *, is_yes: bool = False) -> None:
        """Ask before what cannot be taken back; without a terminal only `--yes` answers."""
        if self.is_yes or is_yes:
            return
        if not self.can_ask:
            message = f"{question} There is no terminal to ask on: add --yes to go on"
            raise click.UsageError(message)
        click.confirm(question, abort=True, err=True)


def who() -> str:
    """Return who works at this terminal, as the log keeps it, sealed."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
