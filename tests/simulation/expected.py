"""What must stand in DokStamp in the end, by the events alone, in the order of the log."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.simulation.workload import Event, Name
from tests.sync.system.truth import DEFAULTS


@dataclass(slots=True)
class Wanted:
    """One source record as its last event leaves it."""

    name: Name
    data: Event
    is_removed: bool = False
    is_revoked: bool = False
    history: list[tuple[int, Event]] = field(default_factory=list)
    """Positions and states."""
    removals: list[int] = field(default_factory=list)
    """Positions at which it was removed."""

    @property
    def states(self) -> list[Event]:
        """Every state it ever had."""
        return [data for _, data in self.history]


@dataclass(slots=True)
class Expected:
    """Every source record as the events leave it."""

    records: dict[Name, Wanted] = field(default_factory=dict)
    _sequences: dict[Name, int] = field(default_factory=dict)

    @classmethod
    def after(cls, logged: Iterable[tuple[int, Event]]) -> "Expected":
        """Fold the events of a log, with their positions."""
        expected = cls()
        for position, event in logged:
            expected._follow(position, event)
        return expected

    def _follow(self, position: int, event: Event) -> None:
        entity, _, what = event["type"].partition(".")
        name = (entity, event["subject"])
        if self._is_late(name, event):
            return
        known = self.records.get(name)
        data = event.get("data")
        if what == "removed":
            record = self._known(name)
            record.is_removed = True
            record.removals.append(position)
        elif what == "revoked":
            self._known(name).is_revoked = True
        elif known is None or not known.is_revoked:
            record = self._known(name)
            record.data, record.is_removed = dict(data or {}), False
            record.history.append((position, record.data))

    def _known(self, name: Name) -> Wanted:
        return self.records.setdefault(name, Wanted(name, {}))

    def _is_late(self, name: Name, event: Event) -> bool:
        sequence = event.get("sequence")
        if sequence is None:
            return False
        if sequence <= self._sequences.get(name, 0):
            return True
        self._sequences[name] = sequence
        return False

    def is_gone(self, name: Name) -> bool:
        """Tell whether a record is removed at the source."""
        known = self.records.get(name)
        return known is not None and known.is_removed


def fields_of(wanted: Wanted) -> Event:
    """Return every field that DokStamp must show."""
    entity = wanted.name[0]
    told = {key: value for key, value in wanted.data.items() if key != "document"}
    return {**DEFAULTS.get(entity, {}), **told}
