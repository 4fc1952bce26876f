import hashlib
from pathlib import Path

from tests.sync.cli.conftest import Command

PDF = b"%PDF-1.4\n%%EOF\n"


def test_a_document_is_stored_under_its_digest(ledger: Command, tmp_path: Path) -> None:
    (tmp_path / "diploma.pdf").write_bytes(PDF)

    answer = ledger("document", "add", "diploma.pdf", "--json")

    assert answer.code == 0
    assert answer.json == {
        "documents": [{"file": "diploma.pdf", "sha256": hashlib.sha256(PDF).hexdigest()}]
    }
    # Whose it is nobody knows yet, and who erases a person has to be told of that.
    assert "until an event names it, a document belongs to nobody" in answer.err
    assert ledger("document", "add", "diploma.pdf").out == (
        f"{hashlib.sha256(PDF).hexdigest()}  diploma.pdf\n"
    )


def test_every_document_that_cannot_be_taken_is_named(ledger: Command, tmp_path: Path) -> None:
    (tmp_path / "diploma.pdf").write_bytes(PDF)
    (tmp_path / "letter.txt").write_text("no PDF")

    wrong = ledger("document", "add", "diploma.pdf", "letter.txt")
    missing = ledger("document", "add", "letter.txt", "missing.pdf")

    assert (wrong.code, wrong.out) == (2, "")
    assert "letter.txt" in wrong.err
    assert missing.code == 74
    assert len(missing.err.splitlines()) == 2


def test_a_document_beyond_the_limit_is_refused(ledger: Command, tmp_path: Path) -> None:
    (tmp_path / "diploma.pdf").write_bytes(PDF * 10)

    answer = ledger("document", "add", "diploma.pdf", upload_bytes_max="100")

    assert answer.code == 2
    assert "more than 100 bytes" in answer.err
