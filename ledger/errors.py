"""Everything that `ledger` raises on purpose, in one tree.

```
LedgerError
├── EventError                     an event cannot be taken as it is; quarantine, exit 3
│   └── ConflictError              the same source and id came before with other content
├── IntegrityError                 stored bytes are not the bytes that were written; exit 6
├── MasterKeyError                 the key file is missing, wrong or open to others; exit 5
├── LedgerBelongsElsewhereError    the ledger serves another tenant or address; exit 5
├── SchemaError                    program and database do not fit; exit 7
│   ├── LedgerTooNewError          a newer program wrote this database
│   └── MigrationNeededError       the database waits for a migration
├── StorageError                   the disk is full, read-only or broken; exit 74
└── LedgerBusyError                another process holds what is needed; exit 75
```

Messages say what to do next and never hold personal data, secrets or payloads.
"""


class LedgerError(Exception):
    """The root of what `ledger` raises on purpose; the message says what to do next."""


class EventError(LedgerError):
    """Tells why an event cannot be taken; correct it at its source and send it again."""


class ConflictError(EventError):
    """Tells that a known source and id came again with other content."""


class IntegrityError(LedgerError):
    """Tells which stored bytes differ from what was written, and how to go on."""

    def __init__(self, message: str, *, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


class MasterKeyError(LedgerError):
    """Tells why the master key cannot be used and how to put that right."""


class LedgerBelongsElsewhereError(LedgerError):
    """Tells that this ledger was first used with another tenant or base URL."""


class SchemaError(LedgerError):
    """The root of the ways in which program and database do not fit."""


class LedgerTooNewError(SchemaError):
    """Tells that a newer program wrote this database; upgrade before opening it."""


class MigrationNeededError(SchemaError):
    """Tells that the database must be migrated before this program can use it."""


class StorageError(LedgerError):
    """Tells that the disk refused; nothing was half written, and what to free or mend."""


class LedgerBusyError(LedgerError):
    """Tells that another process holds the ledger; trying later is safe."""
