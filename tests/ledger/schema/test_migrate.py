import io
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine, create_mock_engine, event, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool
from sqlalchemy.schema import CreateIndex, CreateTable

from ledger.database import SqliteDatabase
from ledger.errors import LedgerTooNewError
from ledger.schema import tables, vault_tables
from ledger.schema.migrate import MIGRATIONS, head, is_current, run_scripts, upgrade, version
from ledger.schema.revisions import REVISIONS, VERSION_TABLES, Line

LINES: tuple[Line, ...] = ("main", "vault")
METADATA: dict[Line, MetaData] = {
    "main": tables.metadata,
    "vault": vault_tables.vault_metadata,
}
ROOT = Path(__file__).parents[3]
FAILING = """
revision = "broken_0003"
down_revision = "main_0002"

def upgrade(op):
    op.execute("CREATE TABLE half (a INTEGER)")
    op.execute("CREATE TABLE half (a INTEGER)")
"""


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = create_engine("sqlite://", poolclass=StaticPool, connect_args={"isolation_level": None})
    event.listen(made, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
    yield made
    made.dispose()


def made_of(connection: Connection) -> set[tuple[str, str, str | None]]:
    """Return what the database consists of, as it remembers it word for word."""
    rows = connection.execute(text("SELECT type, name, sql FROM sqlite_master"))
    return {(row.type, row.name, row.sql) for row in rows}


def in_one_line(statement: str) -> str:
    return " ".join(statement.split())


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
def test_a_migrated_database_is_what_the_tables_say_word_for_word(
    engine: Engine, line: Line
) -> None:
    with engine.begin() as connection:
        METADATA[line].create_all(connection)
        wanted = made_of(connection)
    engine.dispose()

    with engine.begin() as connection:
        upgrade(connection, line)
        migrated = made_of(connection)

    own = VERSION_TABLES[line]
    assert {part for part in migrated if part[0] != "trigger" and own not in part[1]} == wanted


@pytest.mark.parametrize("line", LINES)
def test_alembic_finds_nothing_left_to_migrate(engine: Engine, line: Line) -> None:
    with engine.begin() as connection:
        upgrade(connection, line)
        options = {
            "version_table": VERSION_TABLES[line],
            "compare_type": True,
            "compare_server_default": True,
        }
        context = MigrationContext.configure(connection, opts=options)

        differences = compare_metadata(context, METADATA[line])

    assert differences == []


@pytest.mark.parametrize("line", LINES)
def test_postgresql_gets_the_same_tables_and_indexes(line: Line) -> None:
    dialect = create_mock_engine("postgresql+asyncpg://", lambda *_: None).dialect
    wanted: list[str] = []
    for table in METADATA[line].sorted_tables:
        wanted.append(in_one_line(str(CreateTable(table).compile(dialect=dialect))))
        wanted += [
            in_one_line(str(CreateIndex(index).compile(dialect=dialect))) for index in table.indexes
        ]

    written = in_one_line(written_for("postgresql", line))

    assert [statement for statement in wanted if statement not in written] == []


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
def test_a_database_tells_what_it_is(engine: Engine, line: Line) -> None:
    with engine.begin() as connection:
        before = (version(connection, line), is_current(connection, line))
        upgrade(connection, line)
        after = (version(connection, line), is_current(connection, line))

    assert before == (None, False)
    assert after == (head(line), True)


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        upgrade(connection, "main")
        once = made_of(connection)
        upgrade(connection, "main")

        assert made_of(connection) == once


def test_both_lines_fit_into_one_database(engine: Engine) -> None:
    with engine.begin() as connection:
        upgrade(connection, "vault")
        upgrade(connection, "main")

        assert is_current(connection, "main")
        assert is_current(connection, "vault")


def test_a_database_of_a_newer_program_is_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        upgrade(connection, "main")
        connection.execute(text("UPDATE schema_version SET version_num = 'main_9999'"))

        with pytest.raises(LedgerTooNewError, match=r"main_9999.*upgrade dokstamp"):
            is_current(connection, "main")
        with pytest.raises(LedgerTooNewError):
            upgrade(connection, "main")


async def test_a_failing_migration_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "scripts"
    shutil.copytree(MIGRATIONS / "main", folder)
    (folder / "broken_0003.py").write_text(FAILING)
    database = SqliteDatabase(tmp_path / "ledger.db")
    with pytest.raises(DBAPIError, match="already exists"):
        await database.run(
            lambda connection: run_scripts(connection, folder=folder, version_table="v")
        )

    left = await database.run(made_of)
    await database.run(lambda connection: upgrade(connection, "main"))
    mended = await database.run(lambda connection: is_current(connection, "main"))
    await database.close()

    assert left == set()
    assert mended


async def test_a_migration_continues_where_the_last_one_ended(tmp_path: Path) -> None:
    folder = tmp_path / "100% scripts: new"
    shutil.copytree(MIGRATIONS / "main", folder)
    database = SqliteDatabase(tmp_path / "ledger.db")
    await database.run(lambda connection: run_scripts(connection, folder=folder, version_table="v"))
    second = FAILING.replace("CREATE TABLE half (a INTEGER)", "CREATE TABLE whole (a INTEGER)", 1)
    (folder / "main_0003.py").write_text(second)

    await database.run(lambda connection: run_scripts(connection, folder=folder, version_table="v"))

    made = await database.run(made_of)
    await database.close()
    assert {"whole", "half"} <= {name for _, name, _ in made}


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


def test_keys_in_the_vault_can_be_destroyed(engine: Engine) -> None:
    with engine.begin() as connection:
        upgrade(connection, "vault")
        row = {"ledger": 1, "person": "student:a", "wrapped": b"k", "created_at": 0}
        connection.execute(vault_tables.person_keys.insert(), row)

        destroyed = connection.execute(vault_tables.person_keys.delete()).rowcount

    assert destroyed == 1


def test_only_the_log_refuses_changes(engine: Engine) -> None:
    with engine.begin() as connection:
        upgrade(connection, "main")
        rows = connection.execute(
            text("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'")
        )

        assert {tuple(row) for row in rows} == {
            ("events_refuse_update", "events"),
            ("events_refuse_delete", "events"),
        }
