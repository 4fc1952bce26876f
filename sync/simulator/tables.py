"""The practice service's own database: tables of records with indexes, in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from uuid import UUID


@dataclass(slots=True, eq=False)
class Record:
    """One stored record; `values` hold what was sent, in its stored form."""

    number: int
    uuid: str
    tenant: str
    values: dict[str, object] = field(repr=False)
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None

    def text(self, column: str) -> str:
        """Return a column as text, empty when it has no value."""
        value = self.values.get(column)
        return value if isinstance(value, str) else ""


def mint_uuid(rng: Random) -> str:
    """Return a true version 4 uuid drawn from the given dice."""
    return str(UUID(int=rng.getrandbits(128), version=4))


def stamp(moment: datetime) -> str:
    """Return a moment as the service writes it: microseconds and `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def text_of(value: object) -> str:
    """Return a stored value as a query string would spell it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def fold(value: object) -> str:
    """Return a value as a database that ignores case and trailing blanks compares it."""
    return text_of(value).rstrip().casefold()


class Table:
    """Records of one kind, found by uuid, by tenant in order of creation, and by index."""

    def __init__(self, name: str, *, indexed: Iterable[str] = ()) -> None:
        self.name = name
        self.indexed = frozenset(indexed)
        self._records: dict[str, Record] = {}
        self._live: dict[str, list[Record]] = {}
        self._buckets: dict[tuple[str, str, str], dict[str, Record]] = {}

    def insert(self, record: Record) -> None:
        """Store a new record."""
        self._records[record.uuid] = record
        self._live.setdefault(record.tenant, []).append(record)
        for column in self.indexed:
            self._file(record, column)

    def change(self, record: Record, values: Mapping[str, object]) -> None:
        """Give a record new values and keep the indexes true."""
        moved = [column for column in values if column in self.indexed]
        for column in moved:
            self._unfile(record, column)
        record.values.update(values)
        for column in moved:
            self._file(record, column)

    def delete(self, record: Record, now: datetime) -> None:
        """Mark a record as deleted; it leaves every list and stays stored."""
        record.deleted_at = now
        live = self._live[record.tenant]
        # A new list, because a caller may be walking the old one.
        self._live[record.tenant] = [other for other in live if other is not record]

    def restore(self, record: Record) -> None:
        """Undo a deletion, as the platform's administrator can."""
        record.deleted_at = None
        self._live[record.tenant] = sorted(
            [*self._live[record.tenant], record], key=lambda other: other.number
        )

    def get(self, uuid: str) -> Record | None:
        """Return the record of a uuid, deleted or not."""
        return self._records.get(uuid.lower())

    def live(self, tenant: str) -> list[Record]:
        """Return a tenant's records that are not deleted, oldest first."""
        return self._live.get(tenant, [])

    def everything(self) -> Iterable[Record]:
        """Return all records of all tenants, deleted ones included."""
        return self._records.values()

    def find(self, tenant: str, column: str, value: object) -> Iterable[Record]:
        """Return the records, deleted ones included, whose indexed column folds alike."""
        return self._buckets.get((tenant, column, fold(value)), {}).values()

    def count(self, tenant: str, column: str, value: object) -> int:
        """Return how many records `find` would return."""
        return len(self._buckets.get((tenant, column, fold(value)), ()))

    def find_live(self, tenant: str, column: str, value: object) -> list[Record]:
        """Return the records that are not deleted and whose indexed column folds alike."""
        return [one for one in self.find(tenant, column, value) if one.deleted_at is None]

    def _file(self, record: Record, column: str) -> None:
        value = record.values.get(column)
        if value is not None:
            key = (record.tenant, column, fold(value))
            self._buckets.setdefault(key, {})[record.uuid] = record

    def _unfile(self, record: Record, column: str) -> None:
        value = record.values.get(column)
        if value is not None:
            self._buckets.get((record.tenant, column, fold(value)), {}).pop(record.uuid, None)


class Store:
    """All tables of the practice service and the bytes of its files."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self.tables = {table.name: table for table in tables}
        self.contents: dict[str, bytes] = {}
        self._numbers = 0

    def table(self, name: str) -> Table:
        """Return the table of a name."""
        return self.tables[name]

    def make(
        self, name: str, tenant: str, *, values: dict[str, object], now: datetime, rng: Random
    ) -> Record:
        """Store a new record under a new uuid and return it."""
        self._numbers += 1
        record = Record(self._numbers, mint_uuid(rng), tenant, values, now, now)
        self.table(name).insert(record)
        return record
