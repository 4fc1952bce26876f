from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy import Connection, Dialect, create_mock_engine
from sqlalchemy.schema import CreateTable

from ledger.schema.vault_tables import (
    document_chunks,
    documents,
    insert_or_ignore,
    person_keys,
    vault_metadata,
)

DIALECTS = [
    create_mock_engine(address, lambda *_: None).dialect
    for address in ("sqlite://", "postgresql+asyncpg://")
]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_the_vault_can_be_written_for_every_database(dialect: Dialect) -> None:
    connection = cast("Connection", SimpleNamespace(dialect=dialect))

    statements = [
        str(insert_or_ignore(connection, table).compile(dialect=dialect))
        for table in (person_keys, documents, document_chunks)
    ]

    assert all(statement.endswith("ON CONFLICT DO NOTHING") for statement in statements)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_no_key_of_a_table_numbers_itself(dialect: Dialect) -> None:
    created = [
        str(CreateTable(table).compile(dialect=dialect)) for table in vault_metadata.sorted_tables
    ]

    assert len(created) == len(vault_metadata.sorted_tables)
    assert not any("SERIAL" in text for text in created)


def test_a_row_that_is_there_stays_as_it_is(vault_connection: Connection) -> None:
    row = {"ledger": 1, "person": "a", "created_at": 0}
    statement = insert_or_ignore(vault_connection, person_keys)

    first = vault_connection.execute(statement, row | {"wrapped": b"first"}).rowcount
    second = vault_connection.execute(statement, row | {"wrapped": b"second"}).rowcount
    kept = vault_connection.execute(person_keys.select()).one().wrapped

    assert (first, second, kept) == (1, 0, b"first")
