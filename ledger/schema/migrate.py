"""How a database comes to look like the tables: asked cheaply, brought there in one transaction.

Alembic is imported only where something is migrated. It is driven without its files of settings
and without its global `op`: every script is handed its own `Operations`, so that two databases can
be migrated in one process at the same time.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Text, column, inspect, select, table, text
from sqlalchemy.schema import CreateSchema

from ledger.errors import LedgerTooNewError
from ledger.schema.expectations import expect_many_rows, expects_many_rows
from ledger.schema.revisions import REVISIONS, VERSION_TABLES, Line

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext, MigrationStep

_SCHEMA: Final = text("SELECT current_setting('search_path')")
_KEEP_OUT: Final = text(
    "SELECT pg_advisory_xact_lock("
    "hashtextextended('dokstamp-ledger init ' || current_setting('search_path'), 0))"
)
MIGRATIONS: Final = Path(__file__).parent / "migrations"
"""One folder of scripts for each line; they are installed with the package."""


def upgrade(connection: Connection, line: Line) -> None:
    """Bring a database to the newest revision within the caller's transaction.

    Whatever fails, nothing is half done once the caller rolls back. A database that is
    already there is left alone; raises `LedgerTooNewError` for one that is further.
    """
    keep_others_out(connection)
    if not is_current(connection, line):
        _make_room(connection)
        run_scripts(connection, folder=MIGRATIONS / line, version_table=VERSION_TABLES[line])
    if not expects_many_rows(connection):
        expect_many_rows(connection, line)


def keep_others_out(connection: Connection) -> None:
    """Let nobody else make or migrate this database until the transaction ends."""
    # SQLite has one writer at a time anyway.
    if connection.dialect.name == "postgresql":
        connection.execute(_KEEP_OUT)


def _make_room(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        schema = connection.execute(_SCHEMA).scalar_one()
        # Even `IF NOT EXISTS` asks for the right to make one, which who was given it may lack.
        if schema not in inspect(connection).get_schema_names():
            connection.execute(CreateSchema(schema))


def is_current(connection: Connection, line: Line) -> bool:
    """Tell whether nothing has to be migrated; raises `LedgerTooNewError` like `version`."""
    return version(connection, line) == head(line)


def is_in_order(connection: Connection, line: Line) -> bool:
    """Tell whether `upgrade` would change nothing; raises `LedgerTooNewError` like `version`."""
    return is_current(connection, line) and expects_many_rows(connection)


def version(connection: Connection, line: Line) -> str | None:
    """Return a database's revision, or `None` where nothing was ever migrated.

    Raises `LedgerTooNewError` when this program has never heard of the revision.
    """
    name = VERSION_TABLES[line]
    if not inspect(connection).has_table(name):
        return None
    versions = table(name, column("version_num", Text))
    found = connection.execute(select(versions.c.version_num)).scalar_one_or_none()
    if found is not None and found not in REVISIONS[line]:
        message = (
            f"a newer program wrote this database (revision {found}, this program knows "
            f"{head(line)}): upgrade dokstamp-ledger, then open it again"
        )
        raise LedgerTooNewError(message)
    return found


def head(line: Line) -> str:
    """Return the newest revision that this program knows."""
    return REVISIONS[line][-1]


def run_scripts(connection: Connection, *, folder: Path, version_table: str) -> None:
    """Run what a folder of scripts adds to a database, inside the caller's transaction."""
    from alembic.operations import Operations  # noqa: PLC0415 - only where something is migrated
    from alembic.runtime.migration import MigrationContext, MigrationStep  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    scripts = ScriptDirectory(str(folder), version_locations=[str(folder)])

    def missing(heads: tuple[str, ...], _: "MigrationContext") -> Iterable["MigrationStep"]:
        newest_first = list(scripts.iterate_revisions("heads", heads, implicit_base=True))
        for script in reversed(newest_first):
            yield MigrationStep.upgrade_from_script(scripts.revision_map, script)

    context = MigrationContext.configure(
        connection, opts={"version_table": version_table, "fn": missing}
    )
    context.run_migrations(op=Operations(context))
