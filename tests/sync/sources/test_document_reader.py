import os
from pathlib import Path

import pytest

from sync.resources.definition import Fault
from sync.sources.document import DocumentPath
from sync.sources.document_reader import read_document
from sync.sources.item import Document

PDF = b"%PDF-1.7 a small one"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.pdf").write_bytes(PDF)
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.pdf").write_bytes(PDF)
    (folder / "sub" / "b.pdf").write_bytes(PDF)
    return folder


def read(path: str, folder: Path | None) -> Document | str:
    found = read_document(DocumentPath(path), folder, bytes_max=100)
    return found.code if isinstance(found, Fault) else found


@pytest.mark.parametrize("path", ["a.pdf", "sub/b.pdf", "./a.pdf", "sub/../a.pdf"])
def test_a_document_inside_the_folder_is_read(folder: Path, path: str) -> None:
    document = read(path, folder)

    assert isinstance(document, Document)
    assert document.content == PDF


@pytest.mark.parametrize("path", ["../secret.pdf", "sub/../../secret.pdf"])
def test_dots_do_not_lead_out_of_the_folder(folder: Path, path: str) -> None:
    assert read(path, folder) == "document_path"


def test_a_link_does_not_lead_out_of_the_folder(folder: Path) -> None:
    (folder / "link.pdf").symlink_to(folder.parent / "secret.pdf")
    (folder / "up").symlink_to(folder.parent)
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "near.pdf").symlink_to("a.pdf")

    assert read("link.pdf", folder) == "document_path"
    assert read("up/secret.pdf", folder) == "document_path"
    assert read("loop", folder) == "document_missing"
    assert isinstance(read("near.pdf", folder), Document)


def test_what_is_no_readable_file_is_missing(folder: Path) -> None:
    os.mkfifo(folder / "pipe.pdf")

    assert read("none.pdf", folder) == "document_missing"
    assert read("sub", folder) == "document_missing"
    assert read("pipe.pdf", folder) == "document_missing"


def test_the_bytes_are_checked(folder: Path) -> None:
    (folder / "empty.pdf").touch()
    (folder / "picture.pdf").write_bytes(b"GIF89a")
    (folder / "large.pdf").write_bytes(PDF * 10)

    assert read("empty.pdf", folder) == "document_not_pdf"
    assert read("picture.pdf", folder) == "document_not_pdf"
    assert read("large.pdf", folder) == "document_too_large"


def test_without_a_file_there_is_no_folder_to_look_in() -> None:
    assert read("a.pdf", None) == "document_path"
