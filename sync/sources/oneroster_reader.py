"""OneRoster 1.1 and 1.2 CSV packages, and School Data Sync's like them, read row by row."""

import codecs
import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from sync.errors import InputError
from sync.resources.definition import Fault
from sync.sources.check import check
from sync.sources.envelope import parse
from sync.sources.event_reader import Rules
from sync.sources.item import Item, Refused, Skipped
from sync.sources.oneroster_manifest import Manifest, manifest_notes, read_manifest
from sync.sources.oneroster_records import Options, Records
from sync.sources.oneroster_table import (
    MANIFEST,
    USED_FILES,
    Row,
    columns,
    missing_columns,
    row_of,
)
from sync.sources.package_reader import Package, PackageLimits, open_package

_CHUNK_BYTES: Final = 1024 * 1024
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_FALLBACK: Final = "latin-1"
_BROKEN: Final = Fault(
    "row",
    "row_broken",
    "the row's cells do not fit the header or its quotes do not match; mend it in the file",
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A package that can be read: where its events come from, what is odd in it, its items."""

    source: str
    notes: tuple[str, ...]
    items: Iterator[Item]


class _Cells(Protocol):
    """What csv.reader returns, by the only two things needed of it."""

    line_num: int

    def __next__(self) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class _Line:
    """A row with its place in its file; None where the row itself is broken."""

    number: int
    row: Row | None
    digest: str = ""


def read_oneroster(
    path: Path, *, options: Options, rules: Rules, limits: PackageLimits | None = None
) -> Reading:
    """Open a folder or zip archive and return what it holds, or refuse it with an InputError."""
    limits = limits or PackageLimits()
    with open_package(path, limits) as package:
        encodings = {file: _encoding(package, file) for file in package.names}
        manifest = _manifest(package, encodings)
        for file in USED_FILES:
            with _lines(package, file, encodings):
                pass
        notes = manifest_notes(manifest, package.names) + tuple(
            f"{package.names[file]} is not UTF-8 and is read as Western European text"
            for file, encoding in sorted(encodings.items())
            if encoding == _FALLBACK
        )
    records = Records(manifest or Manifest(), options)
    return Reading(records.source, notes, _items(path, limits, encodings, records, rules))


def _items(
    path: Path,
    limits: PackageLimits,
    encodings: Mapping[str, str],
    records: Records,
    rules: Rules,
) -> Iterator[Item]:
    with open_package(path, limits) as package:
        if package.names.keys() != encodings.keys():
            message = f"{path.name} cannot be read: it changes meanwhile; try when it is complete"
            raise InputError(message)
        # Any org may stand above one that comes before it.
        with _lines(package, "orgs", encodings) as lines:
            for line in lines:
                if line.row is not None:
                    records.index.add_org(line.row)
        others = sorted(package.names.keys() - set(USED_FILES) - {MANIFEST})
        for file in (*USED_FILES, *others):
            with _lines(package, file, encodings) as lines:
                for line in lines:
                    yield _item(package, file, line, records, rules)


def _item(package: Package, file: str, line: _Line, records: Records, rules: Rules) -> Item:
    origin = package.names[file]
    if file not in USED_FILES:
        return Item(line.number, Skipped(f"{file}.not_used"), b"", origin)
    if line.row is None:
        # The cells may be shifted, and one of them may be a password: none is kept.
        note = {"file": origin, "line": line.number, "sha256": line.digest}
        raw = json.dumps(note).encode()
        return Item(line.number, Refused((_BROKEN,), source=records.source, raw=raw), raw, origin)
    draft = records.take(file, line.row)
    if isinstance(draft, Skipped):
        return Item(line.number, Skipped(f"{file}.{draft.reason}"), b"", origin)
    raw = json.dumps(draft.envelope, ensure_ascii=False).encode()
    allow_email_ids = rules.allow_email_ids
    candidate = parse(draft.envelope, allow_email_ids=allow_email_ids)
    outcome = check(candidate, raw=raw, faults=draft.faults, allow_email_ids=allow_email_ids)
    return Item(line.number, outcome, raw, origin)


def _manifest(package: Package, encodings: Mapping[str, str]) -> Manifest | None:
    if MANIFEST not in package.names:
        return None
    with _lines(package, MANIFEST, encodings) as lines:
        return read_manifest(line.row for line in lines if line.row is not None)


@contextmanager
def _lines(package: Package, file: str, encodings: Mapping[str, str]) -> Iterator[Iterator[_Line]]:
    """Open a file of the package and check its header; an absent file has no lines."""
    if file not in package.names:
        yield iter(())
        return
    with package.open(file) as raw, io.TextIOWrapper(raw, encodings[file], newline="") as text:
        recent: list[str] = []
        reader = csv.reader(_remember(text, recent), strict=True)
        names = _header(reader, file, package.names[file])
        yield _rows(reader, names, recent)


def _header(reader: Iterator[list[str]], file: str, name: str) -> tuple[str | None, ...]:
    try:
        header = next((cells for cells in reader if any(cells)), None)
    except csv.Error:
        header = []
    if header is None:
        return ()
    names = columns(header)
    missing = missing_columns(file, names)
    if missing:
        message = (
            f"{name} has no column {', '.join(missing)}; check that it is a"
            " comma-separated OneRoster file with a header line"
        )
        raise InputError(message)
    return names


def _remember(text: io.TextIOWrapper, recent: list[str]) -> Iterator[str]:
    for line in text:
        recent.append(line)
        yield line


def _rows(reader: _Cells, names: tuple[str | None, ...], recent: list[str]) -> Iterator[_Line]:
    while True:
        recent.clear()
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield _Line(number, None, _digest(recent))
            continue
        if any(cell.strip() for cell in cells):
            row = row_of(names, cells)
            yield _Line(number, row, "" if row is not None else _digest(recent))


def _digest(lines: list[str]) -> str:
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def _encoding(package: Package, file: str) -> str:
    """Return UTF-8 if the whole file is, else the encoding that takes every byte."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with package.open(file) as stream:
        chunk = stream.read(_CHUNK_BYTES)
        if chunk.startswith(_UTF_16):
            message = f"{package.names[file]} is UTF-16; save it as CSV in UTF-8"
            raise InputError(message)
        try:
            while chunk:
                decoder.decode(chunk)
                chunk = stream.read(_CHUNK_BYTES)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return _FALLBACK
    return "utf-8-sig"
