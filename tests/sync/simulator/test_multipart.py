"""Reading of forms, well-formed and otherwise."""

import pytest

from sync.simulator import SimulatedRequest
from sync.simulator.multipart import digest, read_parts


def _request(
    body: bytes, content_type: str = 'multipart/form-data; boundary="b 1"'
) -> SimulatedRequest:
    return SimulatedRequest("POST", "/files", headers={"Content-Type": content_type}, body=body)


def _part(content: bytes, boundary: bytes = b"b 1") -> bytes:
    head = b'Content-Disposition: form-data; name="files[]"; filename="a b.pdf"'
    return b"--" + boundary + b"\r\n" + head + b"\r\n\r\n" + content + b"\r\n"


def test_content_is_kept_byte_for_byte() -> None:
    content = bytes(range(256)) + b"\r\n--b\r\n\r\n"

    parts = read_parts(_request(b"preamble\r\n" + _part(content) + b"--b 1--\r\n"))

    assert [(part.name, part.filename) for part in parts] == [("files[]", "a b.pdf")]
    assert parts[0].content == content


@pytest.mark.parametrize(
    "body",
    [b"", b"--b 1--", _part(b"x"), b"--b 1\r\nno blank line\r\n--b 1--\r\n"],
)
def test_a_body_that_is_no_form_has_no_parts(body: bytes) -> None:
    assert read_parts(_request(body)) == ()


def test_a_digest_does_not_depend_on_the_boundary() -> None:
    one = _request(_part(b"x") + b"--b 1--")
    two = _request(_part(b"x", b"zz") + b"--zz--", "multipart/form-data; boundary=zz")
    three = _request(_part(b"y") + b"--b 1--")

    assert digest(one) == digest(two) != digest(three)
