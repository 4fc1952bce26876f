"""The file of a certificate: uploaded alone, checked, and read as a witness later (API 11.10)."""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Final

from sync.dispatcher.asking import ask, ask_record
from sync.dispatcher.decide import dead, held, put_off
from sync.dispatcher.procedures.requests import state
from sync.dispatcher.procedures.rules import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome, Reply, Settlement, Step, Work
from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.envelope import Row, record, refused_fields, rows, uuid_of
from sync.dokstamp.request import Request, Upload, path_of

PATH: Final = "/files"
PDF_START: Final = b"%PDF-"


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded file, as far as DokStamp has told."""

    uuid: str = field(repr=False)
    is_used: bool = False
    """Whether a certificate was made with it, so that no other can be."""


def upload(work: Work, *, rules: Rules) -> Generator[Step, Reply, File | Settlement]:
    """Return the work's document as an unused or used file of DokStamp."""
    content = work.document
    if content is None:
        return held(work, Reason.DOCUMENT_MISSING)
    flaw = _flaw(content, rules)
    if flaw is not None:
        return dead(work, flaw)
    request = Request("POST", PATH, PATH, upload=Upload(_name(work), content))
    answer = yield from ask(request, (work.operation,))
    match answer.meaning:
        case Meaning.DONE:
            return _uploaded(work, answer, size=len(content))
        case Meaning.INVALID:
            return dead(work, Reason.FILE_REFUSED, fields=refused_fields(answer))
        case Meaning.UNCERTAIN:
            # The same bytes give the same file: nothing needs to be found out first.
            return _again(work)
        case _:
            return put_off(work, answer)


def read_file(work: Work, uuid: str) -> Generator[Step, Reply, File | Settlement | None]:
    """Return what became of an uploaded file; None if DokStamp does not show it."""
    request = Request("GET", PATH + path_of(uuid), f"{PATH}/{{file}}")
    answer = yield from ask_record(request, (work.operation,))
    row = record(answer)
    if row is not None:
        return _file(row)
    if answer.meaning in {Meaning.MISSING, Meaning.INVALID}:
        return None
    return put_off(work, answer)


def _flaw(content: bytes, rules: Rules) -> Reason | None:
    if not content.startswith(PDF_START):
        return Reason.NOT_A_PDF
    return Reason.TOO_LARGE if len(content) > rules.upload_bytes_max else None


def _uploaded(work: Work, answer: Answer, *, size: int) -> File | Settlement:
    """Return the one file of the list that an upload answers with (API 14, trap 15)."""
    shown = rows(answer)
    if shown is None or len(shown) != 1:
        return _again(work)
    told = shown[0].get("size")
    if told is not None and str(told) != str(size):
        return held(work, Reason.FILE_DIFFERS)
    return _file(shown[0])


def _file(row: Row) -> File:
    return File(uuid_of(row), is_used=row.get("used_at") is not None)


def _again(work: Work) -> Settlement:
    return Settlement(work.operation, Outcome.RETRY, Reason.UPLOAD_UNCERTAIN)


def _name(work: Work) -> str:
    """Return a name for the file that tells nothing about the person."""
    document = state(work).get("document")
    digest = document.get("sha256") if isinstance(document, dict) else None
    return f"{str(digest or 'certificate')[:16]}.pdf"
