"""The one port to a database: run a function in one transaction, or read beside it.

Store code is plain synchronous functions over a `Connection`; what runs them is a `Database`. On
SQLite all writes run on one thread that owns one connection, so a whole transaction costs one hop.
On PostgreSQL everything goes through one bounded pool, and several hosts may share the ledger.
Nothing here knows a table.
"""

from ledger.database.meanings import is_refusal, translated
from ledger.database.port import Database, Durability
from ledger.database.postgresql import PostgresqlDatabase
from ledger.database.server import Server
from ledger.database.sqlite import SqliteDatabase

__all__ = [
    "Database",
    "Durability",
    "PostgresqlDatabase",
    "Server",
    "SqliteDatabase",
    "is_refusal",
    "translated",
]
