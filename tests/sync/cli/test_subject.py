import asyncio
from pathlib import Path

from tests.places import contents_in
from tests.sync.cli.commands import event
from tests.sync.cli.conftest import Command

MARK = "Zanzibarmark"
STATE = {"name": MARK, "email": "zanzibarmark@example.org", "date_of_birth": "2002-08-28"}


def test_a_student_is_erased_and_not_a_byte_is_left(ledger: Command, home: Path) -> None:
    ledger("ingest", "-", typed=event(data=STATE, actor=MARK))
    before = ledger("subject", "export", "S-1", "--json")
    erased = ledger("subject", "erase", "S-1", "--reason", MARK, "--yes", "--json")
    after = ledger("subject", "export", "S-1", "--json")
    late = ledger("ingest", "-", "--json", typed=event(id="late", data=STATE))

    assert MARK in before.out
    assert (erased.code, erased.json) == (
        0, {"person": "student:S-1", "state": "erased", "waits_for": []},
    )  # fmt: skip
    assert after.json["events"][0]["data"] == "[erased]"
    assert late.json["reasons"] == {"person_erased": 1}
    assert ledger("rebuild", "--check").code == 0
    assert ledger("audit", "verify").code == 0
    (row,) = ledger("quarantine", "list", "--jsonl").lines
    plain = ledger("quarantine", "release", row["id"])
    let_in = ledger("quarantine", "release", row["id"], "--readmit")
    assert (plain.code, let_in.code) == (3, 0)
    assert "--readmit" in plain.out
    assert ledger("subject", "erase", "S-1", "--reason", "again", "--yes").code == 0
    kept = asyncio.run(contents_in(home))
    assert [name for name, content in kept.items() if MARK.encode() in content] == []


def test_a_held_student_is_not_erased(ledger: Command) -> None:
    ledger("ingest", "-", typed=event())
    held = ledger("subject", "hold", "S-1", "--reason", "a lawsuit", "--json")
    refused = ledger("subject", "erase", "S-1", "--reason", "asked", "--yes")
    released = ledger("subject", "release", "S-1", "--reason", "settled", "--json")

    assert held.json == {"person": "student:S-1", "state": "held", "changed": True}
    assert (refused.code, "release the hold first" in refused.err) == (3, True)
    assert released.json["changed"] is True
    assert ledger("subject", "erase", "S-1", "--reason", "asked", "--yes").code == 0


def test_an_erasure_wants_a_reason_and_a_word(ledger: Command) -> None:
    ledger("ingest", "-", typed=event())

    no_reason = ledger("subject", "erase", "S-1", "--yes")
    no_word = ledger("subject", "erase", "S-1", "--reason", "asked")

    assert (no_reason.code, "--reason" in no_reason.err) == (2, True)
    assert (no_word.code, "--yes" in no_word.err) == (2, True)


def test_an_unknown_student_is_told(ledger: Command) -> None:
    for verb in (("erase", "--yes", "--reason", "x"), ("export",), ("hold", "--reason", "x")):
        answer = ledger("subject", verb[0], "S-9", *verb[1:])

        assert (answer.code, "student S-9" in answer.err) == (2, True)
