"""What the real program does while it is killed, and what was there before."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sync.simulator import Simulator
from sync.simulator.authentication import PRACTICE_TENANT
from tests.sync.system.killing.homes import Home
from tests.sync.system.killing.program import Command
from tests.sync.system.university import FIRST_TERM, SECOND_TERM, Told, events

_MADE_NAMES: Final = frozenset(
    {
        *("U", "O-1", "O-2", "C-1", "C-2", "M-1", "M-2", "G-1", "G-2", "C-1:M-1", "C-1:M-2"),
        *("K-1", "S-1", "S-3", "E-1", "E-3", "D-1"),
    }
)
_CHANGED_NAMES: Final = frozenset({"S-3", "E-3", "D-4", "C-1:M-2", "M-1", "G-2", "O-2", "C-2"})
MADE: Final = tuple(told for told in FIRST_TERM if told[1] in _MADE_NAMES)
"""One or two of everything: tokens, searches, creations, an upload, issuing, attachments."""
CHANGED: Final[tuple[Told, ...]] = (
    *(told for told in SECOND_TERM if told[1] in _CHANGED_NAMES),
    ("certificate.revoked", "D-1", {"reason_code": "issued_in_error"}),
)
"""Changes, a certificate more, detachments, deletes, a revocation."""
GONE: Final = frozenset({"C-2"})
"""What of it is truly deleted, as `checked_delete` allows."""
_SETTINGS: Final = {
    "DURABILITY": "normal",
    "TENANT": PRACTICE_TENANT.domain,
    "CLIENT_ID": PRACTICE_TENANT.client_id,
    "CLIENT_SECRET": PRACTICE_TENANT.client_secret,
    "REQUESTS_PER_SECOND_MAX": "0",
    "SETTLE_SECONDS": "0.2",
    "PATIENCE_SECONDS": "60",
    "DELETE_POLICY": "checked_delete",
}


@dataclass(frozen=True, slots=True)
class Act:
    """A command of the program, and what has happened before it."""

    name: str
    words: tuple[str, ...]
    before: tuple[tuple[str, ...], ...]
    told: tuple[Told, ...]
    """Everything that is told in the end."""
    beside: tuple[tuple[str, ...], ...] = ()
    """What others do once it has come to rest, while it goes on."""
    is_endless: bool = False
    """Whether it works until it is asked to stop."""

    @property
    def standing(self) -> tuple[Told, ...]:
        """What of it stands in DokStamp in the end."""
        if self.told == MADE:
            return MADE
        return tuple(told for told in self.told if told[1] not in GONE)


_MADE, _CHANGED = "made.jsonl", "changed.jsonl"
FILES: Final = {_MADE: (MADE, 1), _CHANGED: (CHANGED, 1 + len(MADE))}
"""Events by the file that holds them, with the number of the first."""
_INIT, _SYNC = ("init",), ("sync", "--json")
_MAKE, _CHANGE = ("ingest", _MADE, "--json"), ("ingest", _CHANGED, "--json")
ACTS: Final = {
    act.name: act
    for act in (
        Act("ingest", _MAKE, (_INIT,), MADE),
        Act("make", _SYNC, (_INIT, _MAKE), MADE),
        Act("change", _SYNC, (_INIT, _MAKE, _SYNC, _CHANGE), MADE + CHANGED),
        Act("run", ("run",), (_INIT, _MAKE), MADE + CHANGED, beside=(_CHANGE,), is_endless=True),
    )
}
LAST: Final = _SYNC
"""What brings every ledger to rest."""


@dataclass(frozen=True, slots=True)
class Scene:
    """An act on a database: everything that is ready before anybody dies."""

    act: Act
    home: Home
    simulator: Simulator = field(repr=False)
    lanes: int = 1
    """How many conversations go on at once."""
    forgets: bool = False
    """Whether the ledger forgets, at each death, what may have been sent: that must be found."""

    def command(self, words: Sequence[str], home: Home, url: str) -> Command:
        """Return a command about a copy of the ledger."""
        settings = {
            **_SETTINGS,
            "LEDGER_DATABASE": home.address,
            "LEDGER_KEY_FILE": str(home.folder / "ledger.key"),
            "BASE_URL": url,
            "CONCURRENCY_MAX": str(self.lanes),
        }
        environment = {f"DOKSTAMP_{name}": value for name, value in settings.items()}
        placed = [str(home.folder / word) if word in FILES else word for word in words]
        return Command(placed, environment, home.folder)


def write_files(folder: Path) -> None:
    """Put the files of events where the commands look for them."""
    for name, (told, first) in FILES.items():
        lines = [json.dumps(event) for event in events(told, first=first)]
        (folder / name).write_text("".join(f"{line}\n" for line in lines))
