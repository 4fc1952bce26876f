"""Who decides and why, as options of every verb by which a person decides."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from sync.cli.shell import who
from sync.runtime.outbox_admin import Signature

R = TypeVar("R")


def with_signature(function: Callable[..., R]) -> Callable[..., R]:
    """Give a verb `--actor` and `--reason`, and hand it the `signature` they make."""

    @click.option("--actor", help="Who decides; your user name unless given. Kept sealed.")
    @click.option("--reason", help="Why; kept sealed.")
    @wraps(function)
    def signed(*arguments: Any, actor: str | None, reason: str | None, **named: Any) -> R:  # noqa: ANN401
        signature = Signature(actor or who() or None, reason)
        return function(*arguments, signature=signature, **named)

    return signed
