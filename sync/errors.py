"""Everything that `sync` raises on purpose, in one tree.

```
SyncError
├── ConfigurationError      a setting, secret, tenant or address is wrong; exit 5
├── UnreachableError        DokStamp does not answer; try later; exit 75
└── InputError              a file or argument cannot be used as it is; exit 2
    └── UnreadableError     a file is missing, or cannot be read to its end; exit 74
```
"""


class SyncError(Exception):
    """The root of what `sync` raises on purpose; the message says what to do next."""


class ConfigurationError(SyncError):
    """Tells which setting stops the work and how to mend it."""


class UnreachableError(SyncError):
    """Tells that DokStamp did not answer and that the work waits, complete, in the ledger."""


class InputError(SyncError):
    """Tells which file or argument cannot be used and why."""


class UnreadableError(InputError):
    """Tells which file cannot be read, and that what was read of it is kept."""
