"""Files of events, one JSON object per line, read as a stream of bounded memory."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from sync.errors import InputError, UnreadableError
from sync.resources.definition import Fault
from sync.sources.check import check
from sync.sources.document import DocumentPath, parse_document, requested
from sync.sources.document_reader import read_document
from sync.sources.envelope import parse
from sync.sources.item import Checked, Document, Item, Refused
from sync.sources.json_line import BYTE_ORDER_MARK, FIELD, decode

STANDARD_INPUT: Final = "-"
ENVELOPE_BYTES_MAX: Final = 1024 * 1024
KEPT_BYTES_MAX: Final = 64 * 1024
_CHUNK_BYTES: Final = 1024 * 1024
# What other files begin with: a zip archive, a PDF, gzip, UTF-16 in both orders.
_FOREIGN_STARTS: Final = (b"PK\x03\x04", b"%PDF-", b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings that decide what may come in."""

    upload_bytes_max: int = 10 * 1024 * 1024
    allow_email_ids: bool = False

    @property
    def line_bytes_max(self) -> int:
        """How long a line may be: the largest document in base64 and an envelope around it."""
        return self.upload_bytes_max * 4 // 3 + ENVELOPE_BYTES_MAX


def read_events(
    names: Sequence[str], *, standard_input: BinaryIO | None = None, rules: Rules
) -> Iterator[Item]:
    """Return the items of these files, in order; all of them are tried before the first is read."""
    for name in names:
        _try_to_open(name, standard_input)
    return _read_all(names, standard_input, rules)


def read_line(line: bytes, *, number: int, origin: str, folder: Path | None, rules: Rules) -> Item:
    """Return what became of one line."""
    envelope = decode(line)
    if isinstance(envelope, Fault):
        return Item(number, Refused((envelope,), raw=line), line, origin)
    return Item(number, read_envelope(envelope, raw=line, folder=folder, rules=rules), line, origin)


def read_envelope(
    envelope: dict[str, object], *, raw: bytes, folder: Path | None, rules: Rules
) -> Checked | Refused:
    """Return what became of one envelope, its document read from the folder if it names a path."""
    candidate = parse(envelope, allow_email_ids=rules.allow_email_ids)
    document: Document | Fault | None = None
    value = requested(candidate.data)
    if value is not None and candidate.type == "certificate.requested":
        bytes_max = rules.upload_bytes_max
        found = parse_document(value, bytes_max=bytes_max)
        if isinstance(found, DocumentPath):
            document = read_document(found, folder, bytes_max=bytes_max)
        else:
            document = found
    return check(candidate, raw=raw, document=document, allow_email_ids=rules.allow_email_ids)


def _try_to_open(name: str, standard_input: BinaryIO | None) -> None:
    if name == STANDARD_INPUT:
        if standard_input is None:
            message = "there is no standard input to read; name a file"
            raise InputError(message)
        return
    path = Path(name)
    if path.is_dir():
        message = f"{name} is a folder; name the files in it, or use --format oneroster"
        raise InputError(message)
    # Asked, not opened: opening a pipe twice would lose what its writer sends first.
    if not os.access(path, os.R_OK):
        message = f"{name} cannot be read; check that it exists and that you may read it"
        raise UnreadableError(message)


def _read_all(
    names: Sequence[str], standard_input: BinaryIO | None, rules: Rules
) -> Iterator[Item]:
    for name in names:
        try:
            if name == STANDARD_INPUT and standard_input is not None:
                with _own(standard_input) as stream:
                    yield from read_stream(stream, origin=name, folder=None, rules=rules)
                continue
            path = Path(name)
            with path.open("rb") as stream:
                yield from read_stream(
                    stream, origin=path.name, folder=path.absolute().parent, rules=rules
                )
        except OSError as error:
            message = (
                f"{name} cannot be read to its end ({os.strerror(error.errno or 0)});"
                " what was read is kept: mend the file and run the same command again"
            )
            raise UnreadableError(message) from error


def _own(standard_input: BinaryIO) -> BinaryIO:
    """Return a stream of our own over the same input, where there is a descriptor to copy.

    A thread that waits inside `sys.stdin` when the program ends would abort the interpreter.
    """
    try:
        return os.fdopen(os.dup(standard_input.fileno()), "rb")
    except OSError:
        # A stream in memory has no descriptor; io.UnsupportedOperation is an OSError.
        return standard_input


def read_stream(
    stream: BinaryIO, *, origin: str, folder: Path | None, rules: Rules
) -> Iterator[Item]:
    """Yield an item for every line of the stream that is not blank."""
    limit = rules.line_bytes_max
    number = 0
    while line := stream.readline(limit + 1):
        number += 1
        if number == 1:
            _refuse_foreign(line, origin)
            line = line.removeprefix(BYTE_ORDER_MARK)
        if len(line) > limit and not line.endswith(b"\n"):
            yield _too_long(stream, line, number=number, origin=origin)
            continue
        text = line.strip()
        if text:
            yield read_line(text, number=number, origin=origin, folder=folder, rules=rules)


def _refuse_foreign(line: bytes, origin: str) -> None:
    if line.startswith(_FOREIGN_STARTS) or b"\0" in line[:4096]:
        message = (
            f"{origin} is not a file of events: one JSON object per line, in UTF-8;"
            " for a OneRoster package use --format oneroster"
        )
        raise InputError(message)


def _too_long(stream: BinaryIO, start: bytes, *, number: int, origin: str) -> Item:
    """Pass over the rest of a line that would not fit into memory, and keep its start."""
    digest = hashlib.sha256(start)
    size = len(start)
    while chunk := stream.readline(_CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
        if chunk.endswith(b"\n"):
            break
    note = f"\n(cut: {size} bytes, SHA-256 {digest.hexdigest()})".encode()
    reason = Fault(FIELD, "too_long", "the line is too long; hand its document over separately")
    raw = start[:KEPT_BYTES_MAX] + note
    return Item(number, Refused((reason,), raw=raw), raw, origin)
