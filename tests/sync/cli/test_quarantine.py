from tests.sync.cli.commands import event
from tests.sync.cli.conftest import Command

BAD = event(id="e-2", subject="S-2", data={"name": "Bruno Reis"})


def test_a_refused_event_is_listed_with_every_reason(ledger: Command) -> None:
    ledger("ingest", "-", typed=event() + BAD)
    ledger("ingest", "-", typed=BAD)

    answer = ledger("quarantine", "list", "--jsonl")

    (row,) = answer.lines
    assert answer.code == 0
    assert set(row) == {"id", "source", "line", "type", "subject", "reasons", "count"}
    assert (row["line"], row["type"], row["subject"], row["count"]) == (
        2, "student.upserted", "S-2", 2,
    )  # fmt: skip
    assert {reason["field"] for reason in row["reasons"]} == {"data.email", "data.date_of_birth"}
    assert all(set(reason) == {"field", "code", "message"} for reason in row["reasons"])
    assert ledger("quarantine", "list", "--json").json == {"items": [row]}


def test_people_read_a_table(ledger: Command) -> None:
    ledger("ingest", "-", typed=BAD)

    header, line = ledger("quarantine", "list").out.splitlines()[:2]

    assert header.split()[:3] == ["id", "source", "line"]
    assert "student.upserted" in line


def test_what_is_still_wrong_is_refused_again(ledger: Command) -> None:
    ledger("ingest", "-", typed=BAD)
    (row,) = ledger("quarantine", "list", "--jsonl").lines

    shown = ledger("quarantine", "show", row["id"], "--json")
    released = ledger("quarantine", "release", row["id"], "--json")

    assert "Bruno Reis" in shown.json["raw"]
    assert released.code == 3
    assert released.json["items"][0]["released"] is False


def test_an_unknown_id_is_told(ledger: Command) -> None:
    answer = ledger("quarantine", "show", "nothing")

    assert answer.code == 2
    assert "quarantine list" in answer.err


def test_an_unknown_id_among_several_releases_none_of_them(ledger: Command) -> None:
    ledger("ingest", "-", typed=event(subject="ana@example.edu"))
    (row,) = ledger("quarantine", "list", "--jsonl").lines

    slip = ledger("quarantine", "release", row["id"], "nothing", "neither", allow_email_ids="true")
    (kept,) = ledger("quarantine", "list", "--jsonl").lines
    released = ledger("quarantine", "release", row["id"], allow_email_ids="true")

    assert slip.code == 2
    assert "the id nothing" in slip.err
    assert "the id neither" in slip.err
    assert "nothing was released" in slip.err
    assert kept == row
    assert (released.code, released.out) == (0, f"{row['id']} released\n")
