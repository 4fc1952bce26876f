"""An older ledger is brought to this version once, and never under the hands of a host."""

import asyncio
from pathlib import Path

import pytest

from ledger.errors import LedgerBusyError
from ledger.home import close_all, initialise
from ledger.ledger import Ledger
from ledger.migration_worker import Migrated, migrate
from ledger.schema.migrate import version
from ledger.testing import address_in
from tests.places import make_older

MAIN = Migrated("main", "main_0003", "main_0004")


async def make_old(home: Path) -> None:
    await initialise(address_in(home))
    database = address_in(home).main()
    await database.run(make_older)
    await database.close()


async def test_of_hosts_that_start_at_once_one_migrates_and_the_others_wait(home: Path) -> None:
    await make_old(home)

    made = await asyncio.gather(*(initialise(address_in(home)) for _ in range(3)))

    assert sorted(each.migrated for each in made) == [(), (), (MAIN,)]
    assert [each.is_new for each in made] == [False, False, False]
    await (await Ledger.open(address_in(home))).close()


@pytest.mark.parametrize("task", ["sync", "rebuild"])
async def test_a_ledger_is_not_migrated_under_a_host_that_works_with_it(
    home: Path, task: str
) -> None:
    await make_old(home)
    main, vault, host = address_in(home).main(), address_in(home).vault(), address_in(home).main()
    is_shared = host.is_shared and task == "sync"

    async with host.together(task) if is_shared else host.alone(task):
        with pytest.raises(LedgerBusyError, match="stop every host"):
            await migrate(main, vault, attempts_max=1)
        found = await main.read(lambda connection: version(connection, "main"))
    migrated = await migrate(main, vault, attempts_max=1)

    await close_all(main, vault, host)
    assert found == "main_0003"
    assert migrated == (MAIN,)


async def test_a_host_at_work_keeps_nobody_from_a_ledger_of_this_version(home: Path) -> None:
    await initialise(address_in(home))
    host = address_in(home).main()

    async with host.together("sync") if host.is_shared else host.alone("sync"):
        again = await initialise(address_in(home))

    await host.close()
    assert (again.is_new, again.migrated) == (False, ())
