"""A person whose every field is marked: the marks show nowhere but where they are meant to."""

from pathlib import Path

import pytest

from tests.sync.system.canary import story
from tests.sync.system.canary.markers import MARKERS, Search, forms
from tests.sync.system.canary.stage import Canary, rows_of, watched

RECORDS = (("student", "S-1"), ("student", "S-2"), ("student", "S-3"), ("enrollment", "E-1"),
           ("certificate", "D-1"))  # fmt: skip
DISCLOSED = frozenset({"issued", "refused name of a field"})
"""What timelines and the quarantine show to whoever may open what is sealed."""
DECIDED = ("--reason", MARKERS["reason"], "--actor", MARKERS["operator"])


async def act(canary: Canary, folder: Path) -> list[str]:
    """Bring everybody in, through all the trouble that DokStamp can make; return who waits."""
    first, second, document = story.write(folder)
    *_, listed = await canary.tell(
        ["init"],
        ["document", "add", document],
        *(["ingest", first], ["ingest", first], ["sync", "--json"]),
        *(["ingest", second], ["sync", "--json"]),
        ["outbox", "list", "--jsonl"],
    )
    waiting = [row for row in rows_of(listed) if row["state"] in {"held", "dead"}]
    assert {row["state"] for row in waiting} == {"held", "dead"}, waiting
    return [row["operation"] for row in waiting]


async def decide(canary: Canary, keys: list[str]) -> None:
    """Decide about whatever waits for a person, for a marked reason, and ask about everything."""
    shown = [[*words, key] for key in keys for words in (["outbox", "show"],)]
    asked = [
        ["status"],
        ["config", "show"],
        ["outbox", "list"],
        ["mapping", "list"],
        ["audit", "verify"],
        ["rebuild", "--check"],
        *(["mapping", "find", *record] for record in RECORDS),
    ]
    await canary.tell(
        *(*shown, *([*each, "--json"] for each in shown)),
        ["outbox", "retry", keys[0], "--yes", *DECIDED],
        ["outbox", "discard", keys[-1], "--yes", *DECIDED],
        ["outbox", "approve", "no such operation", *DECIDED],
        ["mapping", "bind", "student", "S-3", "not a uuid", *DECIDED],
        ["mapping", "release", "student", "S-1", "--yes", *DECIDED],
        ["sync", "--json"],
        *(*asked, *([*words, "--json"] for words in asked)),
    )


async def look(canary: Canary) -> None:
    """Ask for all that is sealed, as a person and as a program."""
    timelines = [["audit", "timeline", *record] for record in RECORDS] + [["quarantine", "list"]]
    *canary.stories, canary.export = await canary.tell(
        *(*timelines, *([*each, "--json"] for each in timelines)),
        ["subject", "export", "S-1"],
        discloses=True,
    )


async def test_no_mark_of_a_person_shows_anywhere(
    home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with watched(home) as canary:
        keys = await act(canary, tmp_path_factory.mktemp("told"))
        await decide(canary, keys)
        await look(canary)
        left = await canary.left()
        uuids = [("uuid of a file", uuid) for uuid in canary.simulator.file_uuids]
        secret = ("client secret", canary.station.address.tenant.client_secret)
        search = Search([*uuids, secret])
        found = [line for name, content in left for line in search.in_bytes(content, where=name)]
        found += [line for where, text in canary.said for line in search.in_text(text, where=where)]
        disclosed = "\n".join(canary.stories)
        shown = search.without(DISCLOSED).in_text(disclosed, where="timelines")
        exported = search.what_is_in(canary.export)

        assert uuids, "a certificate was to be issued"
        assert canary.simulator.echoed > len(RECORDS)
        assert not found + shown, "\n".join(dict.fromkeys(found + shown))
        assert "7.31" in canary.export
        assert exported >= {"name", "e-mail", "birth", "issued", "actor", "uuid of a file"}


@pytest.mark.parametrize("what", sorted(MARKERS))
def test_the_search_finds_every_form_of_a_mark(what: str) -> None:
    marker = MARKERS[what]
    for form in forms(marker):
        assert Search().in_bytes(b"\x00before" + form + b"after", where="here")


def test_the_search_finds_nothing_where_nothing_is() -> None:
    assert not Search().in_bytes(bytes(range(256)) * 100, where="here")
