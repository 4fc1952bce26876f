"""`restore`: put a backup in place, or take an older ledger for what it is."""

from pathlib import Path
from typing import Any

import click

from ledger.moving.restore_worker import Restored
from ledger.reference import Json
from sync.cli import interrupt
from sync.cli.output import Output, Row, warn, with_output
from sync.cli.shell import Shell, who
from sync.runtime.assembly import dispatching_alone, open_ledger
from sync.runtime.moving import restore as put_back
from sync.runtime.settings import Settings
from sync.runtime.standing import Stand, accept_older, compare_older, stand_of

ACCEPTING = (
    "The ledger is older than what was published of it. If you go on, whatever may have been sent "
    "since is looked for in DokStamp before anything is sent. Go on?"
)
COMPARING = (
    "From now on `status` says no more that there is something to compare. Have you looked through "
    "DokStamp's certificates?"
)


@click.command()
@click.argument(
    "folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path, file_okay=False)
)
@click.option("--replace", "replaces", is_flag=True, help="Keep a ledger that is there aside.")
@click.option("--accept-older", "is_acceptance", is_flag=True, help="Go on with an older ledger.")
@click.option("--compared", "is_compared", is_flag=True, help="Say that you compared, afterwards.")
@click.option("--reason", help="Why, kept in the log, sealed.")
@click.option("--yes", "is_yes", is_flag=True, help="Do not ask.")
@with_output()
@click.pass_obj
def restore(
    shell: Shell,
    *,
    folder: Path | None,
    replaces: bool,
    is_acceptance: bool,
    is_compared: bool,
    reason: str | None,
    is_yes: bool,
    output: Output,
) -> None:
    """Restore the backup in DIR; with --accept-older, go on with a ledger that fell behind."""
    settings = shell.settings()
    if is_compared:
        if folder is not None or replaces or is_acceptance:
            message = "--compared is said alone, once DokStamp was looked through"
            raise click.UsageError(message)
        shell.confirm(COMPARING, is_yes=is_yes)
        compared = interrupt.run(_compare(settings, reason=reason))
        output.one({"compared": compared}, _text)
        return
    if folder is None and not is_acceptance:
        message = "name the folder of a backup, or add --accept-older to go on with this ledger"
        raise click.UsageError(message)
    if is_acceptance:
        shell.confirm(ACCEPTING, is_yes=is_yes)
    told: dict[str, Any] = {}
    if folder is not None:
        restored = interrupt.run(_restore(settings, folder, replaces=replaces))
        told |= restored[0].to_json() | restored[1].to_json()
        _warn_of(restored[1], is_acceptance=is_acceptance)
    if is_acceptance:
        told["accepted"] = interrupt.run(_accept(settings, reason=reason))
    output.one(told, _text)


async def _restore(settings: Settings, folder: Path, *, replaces: bool) -> tuple[Restored, Stand]:
    restored = await put_back(settings, folder, replaces=replaces)
    async with open_ledger(settings) as ledger:
        return restored, await stand_of(ledger, settings.address.key_file)


async def _accept(settings: Settings, *, reason: str | None) -> dict[str, Json]:
    async with open_ledger(settings) as ledger, dispatching_alone(ledger):
        key_file = settings.address.key_file
        return await accept_older(ledger, key_file, actor=who() or None, reason=reason)


async def _compare(settings: Settings, *, reason: str | None) -> dict[str, Json]:
    async with open_ledger(settings) as ledger:
        return await compare_older(ledger, actor=who() or None, reason=reason)


def _warn_of(stand: Stand, *, is_acceptance: bool) -> None:
    if stand.error is not None and not is_acceptance:
        warn(str(stand.error))


def _text(told: Row) -> str:
    lines = []
    if "ledger" in told:
        lines.append(f"ledger {told['ledger']} restored: {told['size']} events, {told['taken_at']}")
        lines += [f"kept aside: {each}" for each in told["kept"]]
    if "accepted" in told:
        lines.append(
            f"accepted at event {told['accepted']['position']}: bring every event in again with "
            "`ingest`, then run `sync`; what DokStamp has already is found and taken over"
        )
        lines.append(
            "look through DokStamp's certificates for those issued and revoked since the backup: "
            "they stay revoked there, and no verb here tells of them"
        )
    if "compared" in told:
        said = told["compared"]
        lines.append(
            f"compared with the ledger accepted at event {said['accepted']}; records in doubt "
            f"still: {said['in_doubt']}"
        )
    return "\n".join(lines)
