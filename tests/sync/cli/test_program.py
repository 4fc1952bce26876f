"""What the command line says of a server that does not let it work."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy import URL

from tests.postgresql import Cluster
from tests.sync.cli.commands import Answer
from tests.sync.cli.conftest import Command

pytestmark = pytest.mark.one_database("what only a server refuses")

PASSWORD = "hush-hush"


@pytest.fixture
def address(cluster: Cluster) -> Iterator[URL]:
    with cluster.lent() as lent:
        yield lent


def execute(address: URL, *statements: str) -> None:
    async def work() -> None:
        given = address.translate_connect_args(username="user") | dict(address.query)
        connection = await asyncpg.connect(**given)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(work())


def setting(address: URL) -> dict[str, str]:
    return {"ledger_database": address.render_as_string(hide_password=False)}


def told(answer: Answer, folder: Path) -> str:
    """Return the error, after a look that no password is in anything that was written."""
    logs = "".join(path.read_text() for path in folder.rglob("*.log"))
    assert PASSWORD not in answer.out + answer.err + logs
    assert "Traceback" not in answer.err
    return answer.err


@pytest.mark.parametrize("words", [("init",), ("status",), ("outbox", "list")])
def test_a_server_that_nobody_answers_at_is_worth_another_try(
    command: Command, tmp_path: Path, words: tuple[str, ...]
) -> None:
    nowhere = URL.create("postgresql", "uni", PASSWORD, "127.0.0.1", 1, "uni")

    answer = command(*words, **setting(nowhere))

    assert answer.code == 75
    assert "cannot be reached" in told(answer, tmp_path)


def test_a_database_that_does_not_exist_is_named_as_the_fault(
    command: Command, address: URL, tmp_path: Path
) -> None:
    answer = command("init", **setting(address.set(database="nowhere", password=PASSWORD)))

    assert answer.code == 74
    assert "no such database" in told(answer, tmp_path)


def test_a_user_that_the_server_refuses_is_told(
    command: Command, address: URL, tmp_path: Path
) -> None:
    answer = command("init", **setting(address.set(username="stranger", password=PASSWORD)))

    assert answer.code == 74
    assert "refused the user or password" in told(answer, tmp_path)


@pytest.mark.parametrize("option", ["password=hush-hush", "sslkey=hush-hush"])
def test_an_address_that_is_refused_is_not_repeated(
    command: Command, tmp_path: Path, option: str
) -> None:
    answer = command("init", ledger_database=f"postgresql://uni@somewhere/uni?{option}")

    assert answer.code == 5
    assert "LEDGER_DATABASE" in told(answer, tmp_path)


def test_a_server_that_takes_no_writes_is_told_and_can_be_read(
    command: Command, address: URL, tmp_path: Path
) -> None:
    settings = setting(address.set(password=PASSWORD))
    assert command("init", **settings).code == 0
    read_only = f'ALTER DATABASE "{address.database}" SET default_transaction_read_only'
    execute(address, f"{read_only} = on")

    line = '{"specversion": "1.0", "id": "1", "source": "urn:sis", "type": "course.upserted", '
    line += '"subject": "C-1", "data": {"name": "Course", "institution_id": "I-1"}}\n'
    written = command("ingest", "-", typed=line, **settings)
    read = command("status", "--json", **settings)
    execute(address, "SET default_transaction_read_only = off", f"{read_only} = off")
    again = command("ingest", "-", typed=line, **settings)

    assert written.code == 74
    assert "database is read-only" in told(written, tmp_path)
    assert (read.code, read.json["log"]["size"]) == (0, 0)
    assert again.code in {0, 3}
