import io
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import DBAPIError

from ledger.database import Database, PostgresqlDatabase, Server, SqliteDatabase
from ledger.errors import LedgerTooNewError
from ledger.schema import tables, vault_tables
from ledger.schema.migrate import MIGRATIONS, head, is_current, run_scripts, upgrade, version
from ledger.schema.revisions import REVISIONS, VERSION_TABLES, Line
from ledger.testing import address_in

LINES: tuple[Line, ...] = ("main", "vault")
METADATA: dict[Line, MetaData] = {
    "main": tables.metadata,
    "vault": vault_tables.vault_metadata,
}
ROOT = Path(__file__).parents[3]
FAILING = """
revision = "broken_0005"
down_revision = "main_0004"

def upgrade(op):
    op.execute("CREATE TABLE half (a INTEGER)")
    op.execute("CREATE TABLE half (a INTEGER)")
"""

BESIDE = frozenset({"trigger", "function"})
IN_SCHEMA = """
SELECT 'column', table_name || '.' || column_name,
       concat_ws(' ', data_type, collation_name, is_nullable, column_default)
FROM information_schema.columns WHERE table_schema = current_schema()
UNION ALL
SELECT 'index', indexname, replace(indexdef, current_schema() || '.', '')
FROM pg_indexes WHERE schemaname = current_schema()
UNION ALL
SELECT 'constraint', conname || ' of ' || conrelid::regclass, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
UNION ALL
SELECT 'trigger', tgname, pg_get_triggerdef(pg_trigger.oid)
FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE relnamespace = current_schema()::regnamespace AND NOT tgisinternal
UNION ALL
SELECT 'function', proname, '' FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
"""
TRIGGERS = {
    "sqlite": "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": (
        "SELECT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
        "WHERE relnamespace = current_schema()::regnamespace AND NOT tgisinternal"
    ),
}


@pytest.fixture
async def unmade(home: Path) -> AsyncIterator[Database]:
    """Give a database, or a schema on a server, with nothing in it."""
    async with nothing_in(home, "unmade") as database:
        yield database


@asynccontextmanager
async def nothing_in(home: Path, name: str) -> AsyncIterator[Database]:
    place = address_in(home).place
    database: Database = SqliteDatabase(home / f"{name}.db", durability="normal")
    if isinstance(place, Server):
        database = PostgresqlDatabase(replace(place, schema=name))
    yield database
    await database.close()


def made_of(connection: Connection) -> set[tuple[str, str, str | None]]:
    """Return what the database consists of, as it remembers it word for word."""
    if connection.dialect.name == "postgresql":
        return {(kind, name, sql) for kind, name, sql in connection.execute(text(IN_SCHEMA))}
    rows = connection.execute(text("SELECT type, name, sql FROM sqlite_master"))
    # Figures for the planner are no part of what there is.
    return {(row.type, row.name, row.sql) for row in rows if row.name != "sqlite_stat1"}


def create_all(connection: Connection, line: Line) -> None:
    """Make the tables without any migration."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("CREATE SCHEMA wanted"))
    METADATA[line].create_all(connection)


def to_main(connection: Connection) -> None:
    upgrade(connection, "main")


def run_in_room(connection: Connection, folder: Path) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS unmade"))
    run_scripts(connection, folder=folder, version_table="v")


def scripts(line: Line) -> ScriptDirectory:
    folder = str(MIGRATIONS / line)
    return ScriptDirectory(folder, version_locations=[folder])


def written_for(dialect: str, line: Line) -> str:
    """Return the SQL that a line's scripts write for a database that is not there."""
    directory, written = scripts(line), io.StringIO()

    def all_of_them(*_: object) -> list[MigrationStep]:
        newest_first = list(directory.walk_revisions())
        return [
            MigrationStep.upgrade_from_script(directory.revision_map, script)
            for script in reversed(newest_first)
        ]

    context = MigrationContext.configure(
        dialect_name=dialect,
        opts={"as_sql": True, "output_buffer": written, "fn": all_of_them},
    )
    context.run_migrations(op=Operations(context))
    return written.getvalue()


@pytest.mark.parametrize("line", LINES)
async def test_a_migrated_database_is_what_the_tables_say_word_for_word(
    home: Path, unmade: Database, line: Line
) -> None:
    async with nothing_in(home, "wanted") as other:
        await other.run(partial(create_all, line=line))
        wanted = await other.run(made_of)

    await unmade.run(partial(upgrade, line=line))
    migrated = await unmade.run(made_of)

    own = VERSION_TABLES[line]
    assert {part for part in migrated if part[0] not in BESIDE and own not in part[1]} == wanted


@pytest.mark.parametrize("line", LINES)
async def test_alembic_finds_nothing_left_to_migrate(unmade: Database, line: Line) -> None:
    def differences(connection: Connection) -> object:
        options = {
            "version_table": VERSION_TABLES[line],
            "compare_type": True,
            "compare_server_default": True,
        }
        context = MigrationContext.configure(connection, opts=options)
        return compare_metadata(context, METADATA[line])

    await unmade.run(partial(upgrade, line=line))

    assert await unmade.run(differences) == []


def test_postgresql_refuses_changes_to_the_log_too() -> None:
    written = written_for("postgresql", "main")

    assert "BEFORE UPDATE OR DELETE ON events" in written
    assert "BEFORE TRUNCATE ON events" in written


@pytest.mark.parametrize("line", LINES)
def test_the_known_revisions_are_those_of_the_scripts(line: Line) -> None:
    newest_first = [script.revision for script in scripts(line).walk_revisions()]

    assert tuple(reversed(newest_first)) == REVISIONS[line]
    assert scripts(line).get_heads() == [head(line)]


@pytest.mark.parametrize("line", LINES)
async def test_a_database_tells_what_it_is(unmade: Database, line: Line) -> None:
    def told(connection: Connection) -> tuple[str | None, bool]:
        return version(connection, line), is_current(connection, line)

    before = await unmade.run(told)
    await unmade.run(partial(upgrade, line=line))
    after = await unmade.run(told)

    assert before == (None, False)
    assert after == (head(line), True)


async def test_migrating_twice_changes_nothing(unmade: Database) -> None:
    await unmade.run(to_main)
    once = await unmade.run(made_of)
    await unmade.run(to_main)

    assert await unmade.run(made_of) == once


async def test_both_lines_fit_into_one_database(unmade: Database) -> None:
    await unmade.run(partial(upgrade, line="vault"))
    await unmade.run(to_main)

    assert await unmade.run(partial(is_current, line="main"))
    assert await unmade.run(partial(is_current, line="vault"))


async def test_a_database_of_a_newer_program_is_refused(unmade: Database) -> None:
    newer = text("UPDATE schema_version SET version_num = 'main_9999'")
    await unmade.run(to_main)
    await unmade.run(lambda connection: connection.execute(newer))

    with pytest.raises(LedgerTooNewError, match=r"main_9999.*upgrade dokstamp"):
        await unmade.run(partial(is_current, line="main"))
    with pytest.raises(LedgerTooNewError):
        await unmade.run(to_main)


async def test_a_failing_migration_leaves_nothing_behind(tmp_path: Path, unmade: Database) -> None:
    folder = tmp_path / "scripts"
    shutil.copytree(MIGRATIONS / "main", folder)
    (folder / "broken_0004.py").write_text(FAILING)
    with pytest.raises(DBAPIError, match=r"already exists|DuplicateTable"):
        await unmade.run(partial(run_in_room, folder=folder))

    left = await unmade.run(made_of)
    await unmade.run(to_main)
    mended = await unmade.run(partial(is_current, line="main"))

    assert left == set()
    assert mended


async def test_a_migration_continues_where_the_last_one_ended(
    tmp_path: Path, unmade: Database
) -> None:
    folder = tmp_path / "100% scripts: new"
    shutil.copytree(MIGRATIONS / "main", folder)
    await unmade.run(partial(run_in_room, folder=folder))
    second = FAILING.replace("CREATE TABLE half (a INTEGER)", "CREATE TABLE whole (a INTEGER)", 1)
    (folder / "main_0005.py").write_text(second)

    await unmade.run(partial(run_in_room, folder=folder))

    made = await unmade.run(made_of)
    assert {"whole", "half"} <= {name.partition(".")[0] for _, name, _ in made}


def test_asking_does_not_load_the_migration_tool() -> None:
    program = (
        "import sys\n"
        "from sqlalchemy import create_engine\n"
        "from ledger.schema.migrate import is_current\n"
        "import ledger.ledger\n"
        "with create_engine('sqlite://').connect() as c: print(is_current(c, 'main'))\n"
        "print('alembic' in sys.modules)\n"
    )

    said = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert said.stdout.split() == ["False", "False"]


def test_keys_in_the_vault_can_be_destroyed(vault_connection: Connection) -> None:
    row = {"ledger": 1, "person": "student:a", "wrapped": b"k", "created_at": 0}
    vault_connection.execute(vault_tables.person_keys.insert(), row)

    destroyed = vault_connection.execute(vault_tables.person_keys.delete()).rowcount

    assert destroyed == 1


def test_only_the_log_refuses_changes(connection: Connection) -> None:
    found = connection.execute(text(TRIGGERS[connection.dialect.name])).scalars().all()

    assert len(found) >= 2
    assert set(found) == {"events"}
