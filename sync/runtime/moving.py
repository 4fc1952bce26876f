"""Copy, backup and restore, by the settings of a host."""

from dataclasses import replace
from pathlib import Path

from ledger.audit.verification import Head
from ledger.clock import Clock, Entropy, SystemClock, SystemEntropy
from ledger.home import Address
from ledger.ledger import Ledger
from ledger.log.merkle import CompactRange
from ledger.moving.backup_worker import BackedUp
from ledger.moving.backup_worker import backup as write_backup
from ledger.moving.copy_worker import Announce, Copied
from ledger.moving.copy_worker import copy as copy_ledger
from ledger.moving.restore_worker import Restored
from ledger.moving.restore_worker import restore as put_back
from ledger.vault.key_source import FROM_FILE
from sync.errors import ConfigurationError
from sync.runtime.database_address import database_place
from sync.runtime.notary import Notary
from sync.runtime.settings import Settings


def target_of(settings: Settings, url: str, *, key_file: Path | None = None) -> Address:
    """Return where a copy goes, opened by the same keys or by those of another key file."""
    try:
        place = database_place(url)
    except ValueError as error:
        message = f"the target {error}"
        raise ConfigurationError(message) from None
    source = settings.address
    if key_file is None:
        return replace(source, place=place)
    return replace(source, place=place, key_file=key_file, key_source=FROM_FILE)


async def copy(
    settings: Settings,
    url: str,
    *,
    key_file: Path | None = None,
    announce: Announce | None = None,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
) -> Copied:
    """Copy the ledger to an empty place while nothing works on it."""
    target = target_of(settings, url, key_file=key_file)
    return await copy_ledger(
        settings.address,
        target,
        clock=clock or SystemClock(),
        entropy=entropy or SystemEntropy(),
        announce=announce or (lambda _done, _total: None),
    )


async def backup(
    ledger: Ledger, settings: Settings, folder: Path, *, entropy: Entropy | None = None
) -> BackedUp:
    """Write a backup of an open ledger to a new folder; hosts may go on meanwhile."""
    notary = Notary(ledger, key_file=settings.address.key_file)

    def sign(head: CompactRange) -> str:
        return notary.note(Head(head.size, head.root()))

    return await write_backup(
        ledger,
        settings.address,
        folder,
        clock=ledger.clock,
        entropy=entropy or SystemEntropy(),
        sign=sign,
    )


async def restore(
    settings: Settings,
    folder: Path,
    *,
    replaces: bool = False,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
) -> Restored:
    """Put a backup where the settings have the ledger, if it is whole."""
    return await put_back(
        folder,
        settings.address,
        replaces=replaces,
        clock=clock or SystemClock(),
        entropy=entropy or SystemEntropy(),
    )
