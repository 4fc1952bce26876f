"""`backup`, `restore` and `copy` as a person runs them."""

from tests.sync.cli.commands import event
from tests.sync.cli.conftest import Command


def test_a_ledger_is_backed_up_and_put_back(ledger: Command) -> None:
    ledger("ingest", "-", typed=event())
    made = ledger("backup", "kept", "--json")
    refused = ledger("restore", "kept")
    restored = ledger("restore", "kept", "--replace", "--json")

    assert (made.code, refused.code, restored.code) == (0, 5, 0)
    assert made.json["files"] == ["ledger.db", "ledger.vault.db", "manifest.json"]
    assert "key file" in made.err
    assert (
        restored.json["root"] == made.json["root"] == ledger("status", "--json").json["log"]["root"]
    )
    assert all("replaced" in each or "generation" in each for each in restored.json["kept"])
    assert len(restored.json["kept"]) >= 2


def test_an_older_ledger_says_so_until_it_is_accepted(ledger: Command) -> None:
    ledger("backup", "kept")
    ledger("ingest", "-", typed=event())
    ledger("audit", "checkpoint")
    restored = ledger("restore", "kept", "--replace")
    ingested = ledger("ingest", "-", typed=event(), tenant="t", client_id="i", client_secret="s")
    synced = ledger("sync", base_url="http://127.0.0.1:9")
    unasked = ledger("restore", "--accept-older")
    accepted = ledger("restore", "--accept-older", "--yes", "--reason", "lost disk", "--json")

    assert "--accept-older" in restored.err
    assert (ingested.code, synced.code, unasked.code, accepted.code) == (0, 6, 2, 0)
    assert accepted.json["accepted"]["published"] == 3
    assert ledger("status", "--json").json["checkpoint"]["standing"] == "continued"
    again = ledger("restore", "--accept-older", "--yes")
    assert again.code == 2
    assert "there is nothing to accept" in again.err


def test_what_an_older_ledger_cannot_know_is_said_at_once_and_by_status_until_compared(
    ledger: Command,
) -> None:
    ledger("backup", "kept")
    ledger("ingest", "-", typed=event())
    ledger("audit", "checkpoint")
    ledger("restore", "kept", "--replace")
    before = ledger("status", "--json").json["accepted_older"]
    told, issued = ledger("restore", "--accept-older", "--yes").out.splitlines()
    after = ledger("status", "--json").json["accepted_older"]
    later = " ".join(ledger("status").out.split())

    assert (before, after["in_doubt"]) == (None, 0)
    assert told == (
        f"accepted at event {after['position']}: bring every event in again with `ingest`, then "
        "run `sync`; what DokStamp has already is found and taken over"
    )
    assert issued == (
        "look through DokStamp's certificates for those issued and revoked since the backup: they "
        "stay revoked there, and no verb here tells of them"
    )
    assert (
        f"accepted at event {after['position']}; records in doubt since: 0. Certificates that the "
        "lost part issued and nobody told again are in DokStamp only: compare its own list with "
        "`mapping list --entity certificate`, then say so with `restore --compared`"
    ) in later


def test_a_person_says_that_an_older_ledger_was_compared(ledger: Command) -> None:
    unasked = ledger("restore", "--compared", "--yes")
    ledger("backup", "kept")
    ledger("ingest", "-", typed=event())
    ledger("audit", "checkpoint")
    ledger("restore", "kept", "--replace")
    ledger("restore", "--accept-older", "--yes")
    accepted = ledger("status", "--json").json["accepted_older"]["position"]

    unsure = ledger("restore", "--compared")
    mixed = ledger("restore", "kept", "--compared", "--yes")
    said = ledger("restore", "--compared", "--yes", "--reason", "looked through", "--json")
    again = ledger("restore", "--compared", "--yes")

    assert (unasked.code, unsure.code, mixed.code, said.code, again.code) == (2, 2, 2, 0, 2)
    assert "still to be compared" in unasked.err
    assert said.json["compared"] == {"accepted": accepted, "in_doubt": 0, "position": accepted + 1}
    assert ledger("status", "--json").json["accepted_older"] is None
    assert "older ledger" not in ledger("status").out
    assert ledger("rebuild", "--check").code == 0


def test_a_ledger_is_copied_to_another_file(ledger: Command) -> None:
    ledger("ingest", "-", typed=event())
    copied = ledger("copy", "--to", "other.db", "--json")
    again = ledger("copy", "--to", "other.db")

    assert "both are opened by dokstamp-ledger.key" in copied.err
    assert (copied.code, again.code) == (0, 5)
    found = ledger("--database", "other.db", "status", "--json")
    assert found.json["log"]["root"] == copied.json["root"]


def test_what_to_restore_has_to_be_said(ledger: Command) -> None:
    assert ledger("restore").code == 2
