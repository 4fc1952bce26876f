import base64
import io
import os
from pathlib import Path

import pytest

from sync.errors import InputError
from sync.sources.event_reader import Rules, read_events, read_stream
from sync.sources.item import Checked, Item, Refused
from tests.sync.sources.builders import line

PDF = b"%PDF-1.7 a small one"


def items(content: bytes, rules: Rules | None = None) -> list[Item]:
    stream = io.BytesIO(content)
    return list(read_stream(stream, origin="events.jsonl", folder=None, rules=rules or Rules()))


def verdicts(found: list[Item]) -> list[str]:
    return [
        item.outcome.reasons[0].code if isinstance(item.outcome, Refused) else "ok"
        for item in found
    ]


def test_a_file_written_elsewhere_is_read_all_the_same() -> None:
    content = b"\xef\xbb\xbf" + line(1).replace(b"\n", b"\r\n") + b"\r\n  \n" + line(2).rstrip()

    found = items(content)

    assert verdicts(found) == ["ok", "ok"]
    assert [item.line for item in found] == [1, 4]


def test_a_bad_line_does_not_stop_the_rest() -> None:
    found = items(line(1) + b"{nonsense}\n" + b"\xff\xfe\n" + line(2) + line(3)[:-5])

    assert verdicts(found) == ["ok", "json", "encoding", "ok", "json"]
    assert [item.line for item in found] == [1, 2, 3, 4, 5]
    assert isinstance(found[1].outcome, Refused)
    assert found[1].outcome.raw == b"{nonsense}"


def test_a_byte_order_mark_is_tolerated_at_the_start_only() -> None:
    assert verdicts(items(line(1) + b"\xef\xbb\xbf" + line(2))) == ["ok", "json"]


def test_a_line_beyond_the_limit_is_passed_over_and_its_start_is_kept() -> None:
    rules = Rules(upload_bytes_max=0)
    long = b'{"x": "' + b"a" * (2 * rules.line_bytes_max) + b'"}\n'

    found = items(line(1) + long + long.replace(b"a", b"b") + line(2), rules)

    assert verdicts(found) == ["ok", "too_long", "too_long", "ok"]
    assert [item.line for item in found] == [1, 2, 3, 4]
    assert len(found[1].raw) < 70_000
    assert found[1].raw != found[2].raw


@pytest.mark.parametrize("start", [b"PK\x03\x04....", b"%PDF-1.7\n", b"\xff\xfe{\0", b"{\0}\0"])
def test_a_file_of_another_kind_is_refused_as_a_whole(start: bytes) -> None:
    with pytest.raises(InputError, match=r"events\.jsonl is not a file of events.*oneroster"):
        items(start)


def certificate(document: object) -> bytes:
    return line(1, "certificate.requested", data={"document": document})


def test_documents_come_beside_the_file_or_inside_the_event(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(PDF)
    path = tmp_path / "events.jsonl"
    inline = {"content_base64": base64.b64encode(PDF).decode()}
    path.write_bytes(
        certificate({"path": "a.pdf"})
        + certificate(inline)
        + certificate({"sha256": "ab" * 32})
        + certificate({"path": "../a.pdf"})
        + certificate(None)
    )

    found = list(read_events([str(path)], rules=Rules()))

    assert verdicts(found) == ["ok", "ok", "ok", "document_missing", "required"]
    documents = [item.outcome.document for item in found if isinstance(item.outcome, Checked)]
    assert [document and document.content for document in documents] == [PDF, PDF, None]
    assert found[0].weight_bytes > len(PDF)


def test_standard_input_has_no_folder_for_documents() -> None:
    stream = io.BytesIO(line(1) + certificate({"path": "a.pdf"}))

    found = list(read_events(["-"], standard_input=stream, rules=Rules()))

    assert verdicts(found) == ["ok", "document_path"]
    assert found[0].origin == "-"


def test_files_are_read_in_the_order_they_are_named(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.jsonl").write_bytes(line(number))

    found = list(read_events([str(tmp_path / "2.jsonl"), str(tmp_path / "1.jsonl")], rules=Rules()))

    assert [item.origin for item in found] == ["2.jsonl", "1.jsonl"]


def test_nothing_is_read_when_one_file_is_missing_or_a_folder(tmp_path: Path) -> None:
    (tmp_path / "1.jsonl").write_bytes(line(1))

    with pytest.raises(InputError, match="cannot be read; check that it exists"):
        read_events([str(tmp_path / "1.jsonl"), str(tmp_path / "none")], rules=Rules())
    with pytest.raises(InputError, match="is a folder; name the files in it"):
        read_events([str(tmp_path)], rules=Rules())
    with pytest.raises(InputError, match="no standard input"):
        read_events(["-"], rules=Rules())


def test_a_file_that_fails_in_the_middle_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(line(1))
    (tmp_path / "gone").write_bytes(line(2))
    found = read_events([str(path), str(tmp_path / "gone")], rules=Rules())
    (tmp_path / "gone").unlink()

    assert verdicts([next(found)]) == ["ok"]
    with pytest.raises(InputError, match="what was read is kept: mend the file and run"):
        next(found)


def test_a_pipe_on_standard_input_is_read_to_its_end() -> None:
    reading, writing = os.pipe()
    os.write(writing, line(1))
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        found = list(read_events(["-"], standard_input=stream, rules=Rules()))

        assert verdicts(found) == ["ok"]
        assert not stream.closed
