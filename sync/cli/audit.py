"""`audit`: what happened to a record, whom a uuid stands for, whether the log is whole."""

from pathlib import Path
from typing import Any

import click

from ledger.audit.proof import encode
from ledger.audit.verification import Verification
from ledger.ledger import Ledger
from ledger.reference import Position, SourceRef
from sync.cli import interrupt
from sync.cli.exits import Exit
from sync.cli.output import Output, Row, say, with_output
from sync.cli.pages import limit_option, rows_of
from sync.cli.progress import metering
from sync.cli.shell import Shell
from sync.errors import InputError
from sync.resources import RESOURCES
from sync.runtime.assembly import open_ledger
from sync.runtime.audit_desk import AuditDesk
from sync.runtime.notary import Notary, Published
from sync.runtime.page import Answer, Page
from sync.runtime.settings import Settings


@click.group()
def audit() -> None:
    """The story of a record, and the proof that the log is whole."""


@audit.command()
@click.argument("entity", type=click.Choice(sorted(RESOURCES)))
@click.argument("source_id", metavar="ID")
@limit_option
@with_output(lines=True)
@click.pass_obj
def timeline(
    shell: Shell, *, entity: str, source_id: str, rows_max: int | None, output: Output
) -> None:
    """Tell everything that happened to a source record, in the order of the log."""

    async def work(settings: Settings) -> None:
        async with open_ledger(settings) as ledger:

            async def fetch(after: Position | None, limit: int) -> Page[Position]:
                start = -1 if after is None else after
                return await AuditDesk(ledger).timeline_page(
                    SourceRef(entity, source_id), after=start, limit=limit
                )

            if not (await fetch(None, 1)).rows:
                message = f"the log does not tell of {entity} {source_id}: see `mapping list`"
                raise InputError(message)
            await output.told(rows_of(fetch, rows_max=rows_max), _entry)

    interrupt.run(work(shell.settings()))


@audit.command()
@click.argument("uuid")
@with_output()
@click.pass_obj
def target(shell: Shell, *, uuid: str, output: Output) -> None:
    """Tell which source records a DokStamp uuid stands or stood for, each with its story."""

    async def work(settings: Settings) -> Answer:
        async with open_ledger(settings) as ledger:
            return await AuditDesk(ledger).target(uuid)

    found = interrupt.run(work(shell.settings()))
    if not found["records"]:
        message = f"no source record ever stood behind {uuid}: see `mapping list`"
        raise InputError(message)
    output.one(found, _records)


@audit.command()
@click.option(
    "--checkpoint",
    "checkpoints",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A checkpoint that the log must continue; may be given several times.",
)
@with_output()
@click.pass_obj
def verify(shell: Shell, *, checkpoints: tuple[Path, ...], output: Output) -> Exit:
    """Compute the log's tree again from every stored byte, and compare."""
    found = interrupt.run(_verify(shell.settings(), checkpoints))
    output.one(found, _verdict(found))
    return Exit.DONE if found.first_bad_position is None else Exit.INTEGRITY


async def _verify(settings: Settings, checkpoints: tuple[Path, ...]) -> Verification:
    async with open_ledger(settings) as ledger:
        with metering() as meter:
            return await _desk(ledger, settings).verify(
                checkpoints=checkpoints,
                announce=lambda done, total: meter.show("events checked", done=done, total=total),
            )


def _desk(ledger: Ledger, settings: Settings) -> AuditDesk:
    return AuditDesk(ledger, key_file=settings.address.key_file)


def _verdict(found: Verification) -> str:
    if found.first_bad_position is None:
        kept = f", {len(found.checkpoints)} checkpoints continued" if found.checkpoints else ""
        return f"whole: {found.checked} events checked{kept}, root {found.root}"
    return (
        f"broken at position {found.first_bad_position} of {found.size}: {found.what}; "
        "restore the ledger from a backup and compare"
    )


@audit.command()
@click.option(
    "--to",
    "target",
    type=click.Path(),
    help="A file, or a folder that gets one file for each size and has to be there: a slash at "
    "the end always means a folder. CHECKPOINTS if there is none.",
)
@with_output()
@click.pass_obj
def checkpoint(shell: Shell, *, target: str | None, output: Output) -> None:
    """Sign the log's root and size, for others to keep: what they hold cannot be undone here."""

    async def work(settings: Settings) -> Published:
        async with open_ledger(settings) as ledger:
            notary = Notary(ledger, key_file=settings.address.key_file)
            return await notary.publish(target or settings.checkpoints)

    found = interrupt.run(work(shell.settings()))
    where = f"wrote {found.path}: {found.size} events, root {found.root}"
    output.one(found, where if found.path else found.checkpoint.removesuffix("\n"))


@audit.command()
@with_output()
@click.pass_obj
def key(shell: Shell, *, output: Output) -> None:
    """Print the key that auditors check checkpoints and proofs with; it is no secret."""

    async def work(settings: Settings) -> str:
        async with open_ledger(settings) as ledger:
            return Notary(ledger, key_file=settings.address.key_file).key.encode()

    found = interrupt.run(work(shell.settings()))
    output.one({"key": found}, found)


@audit.command()
@click.argument("entity", type=click.Choice(sorted(RESOURCES)))
@click.argument("source_id", metavar="ID")
@click.option(
    "--disclose",
    is_flag=True,
    help="Show what is sealed, with what proves it: data, who decided and why.",
)
@click.option("--after", type=int, default=-1, help="Begin after this position of the log.")
@click.option("--through", type=int, help="End at this position of the log.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
@with_output()
@click.pass_obj
def prove(
    shell: Shell,
    *,
    entity: str,
    source_id: str,
    disclose: bool,
    after: int,
    through: int | None,
    out: Path | None,
    output: Output,
) -> None:
    """Write what happened to a record, and the proof of it, for somebody without the ledger."""

    async def work(settings: Settings) -> Answer:
        async with open_ledger(settings) as ledger:
            return await _desk(ledger, settings).prove(
                SourceRef(entity, source_id), disclose=disclose, after=after, through=through
            )

    found = interrupt.run(work(shell.settings()))
    written = encode(found)
    if out is None:
        say(written.decode().removesuffix("\n"))
        return
    out.write_bytes(written)
    told = {"path": str(out), "bytes": len(written)}
    output.one(told, f"wrote {out}: {len(written):,} bytes; check it with scripts/verify_proof.py")


def _entry(row: Row) -> str:
    lines = [f"{row['position']:>8}  {row['time']}  {row['summary']}"]
    lines += [f"{'':>10}{_exchange(each)}" for each in row["exchanges"]]
    return "\n".join(lines)


def _exchange(each: dict[str, Any]) -> str:
    status = each["status"] or "no answer"
    return f"{each['started_at']}  {each['method']} {each['path']}: {status}, {each['seconds']} s"


def _records(found: Row) -> str:
    parts = list[str]()
    for record in found["records"]:
        parts.append(f"{record['entity']} {record['source_id']} ({record['state']})")
        parts += map(_entry, record["timeline"])
    return "\n".join(parts)
