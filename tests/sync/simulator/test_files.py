"""Files: upload, deduplication, metadata, public download."""

import pytest

from sync.simulator import FOREIGN_TENANT
from tests.sync.simulator.practice import PDF, Practice, decoded, errors


def test_an_upload_answers_a_list_even_for_one_file() -> None:
    practice = Practice()

    response = practice.upload(PDF)

    assert response.status == 201
    assert decoded(response)["data"][0] == {
        "uuid": practice.simulator.records("files")[0]["uuid"],
        "original_name": "0.pdf",
        "mime_type": "application/pdf",
        "size": len(PDF),
        "used_at": None,
    }


def test_equal_content_comes_back_as_the_record_it_already_is() -> None:
    practice = Practice()
    first = practice.file()

    twice = decoded(practice.upload(PDF, PDF, PDF + b"2"))["data"]

    assert [row["uuid"] == first for row in twice] == [True, True, False]
    assert len(practice.simulator.records("files")) == 2


def test_equal_content_of_two_tenants_is_two_files() -> None:
    practice = Practice()
    first = practice.file()
    practice.speak_as(FOREIGN_TENANT)

    assert practice.file() != first


@pytest.mark.parametrize("name", ["files", "file[]", "file"])
def test_a_part_of_another_name_is_not_seen(name: str) -> None:
    response = Practice().upload(PDF, name=name)

    assert errors(response).keys() == {"files"}


@pytest.mark.parametrize("content", [b"", b"plain text", b"<html>"])
def test_other_kinds_of_content_are_refused(content: bytes) -> None:
    response = Practice().upload(PDF, content)

    assert errors(response).keys() == {"files.1"}


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data"])
def test_an_upload_without_a_boundary_holds_no_files(content_type: str) -> None:
    practice = Practice()
    headers = practice.headers() | {"Content-Type": content_type}

    response = practice.send("POST", "/files", headers=headers, body=b"{}")

    assert errors(response).keys() == {"files"}


def test_too_large_an_upload_is_refused_with_413() -> None:
    response = Practice().upload(PDF + bytes(21 * 1024 * 1024))

    assert response.status == 413


def test_a_download_needs_no_headers() -> None:
    practice = Practice()

    response = practice.send("GET", f"/files/{practice.file()}/download")

    assert (response.status, response.body) == (200, PDF)
    assert response.headers["Content-Type"] == "application/pdf"


def test_metadata_is_shown_with_what_an_upload_leaves_out() -> None:
    practice = Practice()

    data = practice.get(f"/files/{practice.file()}")["data"]

    assert data["extension"] == "pdf"
    assert data["file"].startswith("https://")


def test_a_file_can_be_renamed_and_deleted() -> None:
    practice = Practice()
    path = f"/files/{practice.file()}"

    renamed = practice.call("PATCH", path, {"original_name": "new.pdf"})
    deleted = practice.call("DELETE", path)

    assert decoded(renamed)["data"]["original_name"] == "new.pdf"
    assert deleted.status == 204
    assert practice.send("GET", f"{path}/download").status == 404


def test_a_hidden_record_that_comes_back_cannot_be_used() -> None:
    practice = Practice()
    fields = practice.graduate()
    practice.call("DELETE", f"/files/{fields['file_uuid']}")

    again = practice.file()
    response = practice.call("POST", "/certificates", {**fields, "file_uuid": again})

    assert again == fields["file_uuid"]
    assert errors(response)["file_uuid"] == ["The selected file uuid is invalid."]


def test_a_badge_image_is_used_up_by_its_institution() -> None:
    practice = Practice()
    institution = practice.institution()
    image = practice.file(b"\x89PNG\r\n\x1a\npicture")
    body = {"is_badges_enabled": True, "badge_image_uuid": image}

    response = practice.call("PATCH", f"/institutions/{institution}", body)

    assert response.status == 200
    assert practice.get(f"/files/{image}")["data"]["used_at"] is not None
