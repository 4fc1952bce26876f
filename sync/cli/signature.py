"""Who decides and why, as options of every verb by which a person decides."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, Final, TypeVar

import click

from sync.cli.shell import Shell, who
from sync.runtime.decisions import Signature

R = TypeVar("R")
UNTOLD: Final = "not told"
"""What stands in the log where nobody said why."""


def with_signature(function: Callable[..., R]) -> Callable[..., R]:
    """Give a verb `--actor` and `--reason`, and hand it the `signature` they make."""

    @click.option("--actor", help="Who decides; your user name unless given. Kept sealed.")
    @click.option("--reason", help="Why; kept sealed.")
    @wraps(function)
    def signed(*arguments: Any, actor: str | None, reason: str | None, **named: Any) -> R:  # noqa: ANN401
        signature = Signature(actor or who() or None, reason)
        return function(*arguments, signature=signature, **named)

    return signed


def with_decision(function: Callable[..., R]) -> Callable[..., R]:
    """Give a verb a signature that has a reason: who sits at a terminal is asked for one."""

    @with_signature
    @wraps(function)
    def decided(*arguments: Any, signature: Signature, **named: Any) -> R:  # noqa: ANN401
        reason = signature.reason or _why(is_yes=bool(named.get("is_yes")))
        return function(*arguments, signature=replace(signature, reason=reason), **named)

    return decided


def _why(*, is_yes: bool) -> str:
    shell = click.get_current_context().find_object(Shell)
    if is_yes or shell is None or not shell.can_ask:
        return UNTOLD
    return str(click.prompt("Why? It is kept sealed", default=UNTOLD, err=True))
