"""The stage of the demo: a practice DokStamp, a folder with a ledger, and how to reach both."""

import os
import sys
import tempfile
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from sync.cli.sample_university import Event
from sync.errors import InputError
from sync.runtime.settings import Settings
from sync.simulator import Address, Simulator, serve

PACKAGES: Final = Path(__file__).resolve().parents[2]
CONFIG_FILE: Final = "dokstamp-ledger.toml"
DATABASE: Final = "dokstamp-ledger.db"
HASTE: Final[Mapping[str, float]] = MappingProxyType(
    {
        "requests_per_second_max": 0,
        "request_timeout_seconds": 5,
        "settle_seconds": 1,
        "circuit_probe_seconds": 1,
        "patience_seconds": 30,
    }
)
"""Settings that let a practice service on the same machine be pressed, and waits be short."""
_MADE: Final = (" created", " attached")


@dataclass(frozen=True, slots=True)
class Stage:
    """A practice DokStamp that is being served, and the folder of the ledger that serves it."""

    events: Sequence[Event]
    """The university that is synchronised."""
    folder: Path
    simulator: Simulator
    address: Address
    settings: Settings

    @property
    def total(self) -> int:
        """How many records the university has."""
        return len({(each["type"], each["subject"]) for each in self.events})

    @property
    def records(self) -> int:
        """How many records were made in the practice DokStamp, the files aside."""
        writes = self.simulator.journal.tally.writes
        files = writes["files created"]
        return sum(count for name, count in writes.items() if name.endswith(_MADE)) - files

    @property
    def cut_by_outage(self) -> int:
        """How many requests an outage has cut off."""
        return sum(each.fault == "outage" for each in self.simulator.journal.requests)


@asynccontextmanager
async def set_stage(
    events: Sequence[Event], *, directory: Path | None = None
) -> AsyncIterator[Stage]:
    """Serve a practice DokStamp and give it a new ledger's folder; leaving takes both away.

    A directory that was asked for stays.
    """
    async with AsyncExitStack() as exits:
        folder = _make_folder(directory)
        if folder is None:
            holder = tempfile.TemporaryDirectory(prefix="dokstamp-demo-")
            folder = Path(exits.enter_context(holder))
        simulator = Simulator(seed=1)
        address = await exits.enter_async_context(serve(simulator))
        settings = Settings.load(_write_settings(folder, address), environment={})
        yield Stage(events, folder, simulator, address, settings)


@asynccontextmanager
async def sync_process(stage: Stage) -> AsyncIterator[Process]:
    """Start `sync` as a process of its own; it is gone when the block ends."""
    process = await create_subprocess_exec(
        sys.executable, "-m", "sync.cli", "--config", CONFIG_FILE, "sync", "--json",
        cwd=stage.folder, env=_environment(), stdout=PIPE, stderr=PIPE,
        # A session of its own: Ctrl-C at the terminal is for the demo, which then ends it.
        start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _environment() -> dict[str, str]:
    """Return this process's environment without settings, so that nothing real is touched."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DOKSTAMP_")}
    paths = [str(PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(paths)}


def _make_folder(directory: Path | None) -> Path | None:
    if directory is None:
        return None
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        message = f"{directory} is not empty: give the demo a new or an empty directory"
        raise InputError(message)
    return directory.resolve()


def _write_settings(folder: Path, address: Address) -> Path:
    tenant = address.tenant
    given: dict[str, str | float] = {
        "ledger_database": str(folder / DATABASE),
        "base_url": address.url,
        "tenant": tenant.domain,
        "client_id": tenant.client_id,
        "client_secret": tenant.client_secret,
        **HASTE,
    }
    file = folder / CONFIG_FILE
    lines = [f"{name} = {_toml(value)}" for name, value in given.items()]
    file.write_text("\n".join(["# Practice settings, of no use anywhere else.", *lines, ""]))
    return file


def _toml(value: str | float) -> str:
    # A JSON string is a TOML string too, apart from characters that no path here has.
    return f"'{value}'" if isinstance(value, str) else str(value)
