"""What only the platform itself can do: restore records, let certificates expire."""

from datetime import datetime

from sync.errors import InputError
from sync.simulator.tables import Record, Store

_ACTIONS = ("restore", "expire", "suspend")


def act(store: Store, action: str, *, table: str, uuid: str, now: datetime) -> Record:
    """Let the platform do something to a record and return it."""
    record = store.table(table).get(uuid) if table in store.tables else None
    if record is None:
        raise InputError("Name an existing table and the uuid of a record in it.")
    match action, table:
        case "restore", _:
            if record.deleted_at is not None:
                store.table(table).restore(record)
        case "expire", "certificates":
            store.table(table).change(record, {"status": "expired"})
        case "suspend", "institutions":
            store.table(table).change(record, {"status": "suspended"})
        case _:
            raise InputError(f"The platform can {', '.join(_ACTIONS)}; not that record.")
    record.updated_at = now
    return record
