"""What must hold of keys, checkpoints, backups and the inbox as somebody who died left them."""

import base64
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.sync.system.killing.forgotten import Secret, erasure_faults
from tests.sync.system.killing.homes import Home
from tests.sync.system.killing.outside import Sight, root_of

CHECKPOINT, MARK = "published.checkpoint", "ledger.key.checkpoint"
BACKUP = "kept"
MASTER, GENERATION = "ledger.key", "ledger.key.generation"
_KEYS = "SELECT person, wrapped FROM person_keys ORDER BY person"
_ENVELOPES = "SELECT envelope FROM events ORDER BY position"


@dataclass(frozen=True, slots=True)
class Remains:
    """A ledger as it lies there, and how it was before anybody did anything."""

    template: Home
    home: Home
    sight: Sight
    promised: Sequence[Sequence[str]]

    def promises(self, what: str) -> list[str]:
        """Return what was promised of a kind."""
        return [names[0] for kind, *names in self.promised if kind == what]


Check = Callable[[Remains], Iterator[str]]


def nothing_more(_remains: Remains) -> Iterator[str]:
    """Find nothing beyond what is looked at in every phase."""
    yield from ()


def key_faults(remains: Remains) -> Iterator[str]:
    """Tell whether keys are lost, or some are wrapped by the old master key and some by the new."""
    before = {row[0]: bytes(row[1]) for row in remains.template.rows(_KEYS, "vault")}
    after = {row[0]: bytes(row[1]) for row in remains.home.rows(_KEYS, "vault")}
    if lost := before.keys() - after.keys():
        yield f"G1: {len(lost)} keys are lost"
        return
    changed = sum(after[person] != wrapped for person, wrapped in before.items())
    if changed not in {0, len(before)}:
        yield f"G1: {changed} keys of {len(before)} are wrapped anew"
    # On a server the keys are wrapped by one that is kept beside the master key, wrapped by that.
    is_anew = changed == len(before) or _differ(remains, GENERATION)
    if remains.promises("rotated") and not (is_anew and _differ(remains, MASTER)):
        yield "G12: the rotation was promised, and the old master key still counts"


def _differ(remains: Remains, name: str) -> bool:
    """Tell whether a file is not the one from before."""
    before, now = remains.template.folder / name, remains.home.folder / name
    return before.exists() and before.read_bytes() != now.read_bytes()


def checkpoint_faults(remains: Remains) -> Iterator[str]:
    """Tell which published tree head is not whole, or not one of the log's."""
    promised = max(map(int, remains.promises("published")), default=0)
    for name in (CHECKPOINT, MARK):
        path = remains.home.folder / name
        note = path.read_text() if path.exists() else ""
        size = 0
        if note:
            _origin, count, root, *_ = note.splitlines()
            size = int(count)
            envelopes = [entry.envelope for entry in remains.sight.log[:size]]
            if len(envelopes) != size or base64.b64decode(root) != root_of(envelopes):
                yield f"G11: {name} speaks of another log"
            if "\n\n\u2014 " not in note or not note.endswith("\n"):
                yield f"G11: {name} is not signed"
        if size < promised:
            yield f"G11: {name} speaks for {size} events, {promised} were promised"


def backup_faults(remains: Remains) -> Iterator[str]:
    """Tell whether a backup that goes by its name is not whole."""
    folder = remains.home.folder / BACKUP
    if not folder.exists():
        if remains.promises("backup"):
            yield "G1: a backup was promised and is lost"
        return
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, digest in manifest["files"].items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            yield f"G11: {name} of the backup is not what its manifest says"
    kept = envelopes(folder / "ledger.db")
    if manifest["root"] != root_of(kept).hex() or manifest["size"] != len(kept):
        yield "G11: the backup's log is not the one of its manifest"
    if kept != [entry.envelope for entry in remains.sight.log[: len(kept)]]:
        yield "G11: the backup is of another log"


def envelopes(file: Path) -> list[bytes]:
    """Return the log of a database file that nobody works on."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as database:
        return [bytes(row[0]) for row in database.execute(_ENVELOPES)]


def inbox_faults(remains: Remains) -> Iterator[str]:
    """Tell whether an event that a host committed is neither in the inbox nor in the log."""
    there = len(remains.sight.names) + remains.sight.inbox
    put = len(remains.promises("put"))
    if there < put:
        yield f"G1: {put} events were put into the inbox, {there} are there"


def forgetting_faults(remains: Remains) -> Iterator[str]:
    """Tell what of an erasure is missing in the end."""
    yield from erasure_faults(remains.home, Secret.of(remains.template))
