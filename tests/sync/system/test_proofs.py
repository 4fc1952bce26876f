"""What an auditor gets, checked by the independent verifier in a Python that sees neither package.

The verifier runs isolated (`-I`): no project on its path, only the standard library and what is
installed beside the interpreter, and a hook fails it when it imports anything of ours.
"""

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import EventError
from ledger.log.event import NewEvent
from ledger.reference import SourceRef
from sync.errors import InputError
from sync.runtime.audit_desk import AuditDesk
from sync.runtime.decisions import Selection, Signature, decide
from tests.sync.runtime.desk import EXCHANGE, INSTITUTION, Desk, desk_in

VERIFIER = Path(__file__).parents[3] / "scripts" / "verify_proof.py"
STUDENT = SourceRef("student", "S-1")
OTHER = SourceRef("student", "S-2")
SIGNED = Signature(actor="the registrar", reason="she asked")
MARKER = "Zwetschgenkuchen"
Json = Any

ISOLATED = """
import runpy, sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("ledger", "sync"):
            raise ImportError(name)
sys.meta_path.insert(0, Wall())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def verified(folder: Path, bundle: Json, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the independent verifier on a bundle, away from the project."""
    file = folder / "bundle.json"
    file.write_text(bundle if isinstance(bundle, str) else json.dumps(bundle))
    command = [sys.executable, "-I", "-c", ISOLATED, str(VERIFIER), str(file), *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


async def prepared(desk: Desk) -> None:
    """Let a student and an institution have a past, an operator's act included."""
    student: dict[str, Json] = {"name": f"{MARKER} Müller", "date_of_birth": "2001-02-03"}
    await desk.university()
    await desk.tell("student.upserted", STUDENT, email="s1@example.org", **student)
    await desk.tell("student.upserted", OTHER, email="s2@example.org", **student)
    await desk.settle(INSTITUTION, "held", reason="bind_institution")
    await decide(desk.ledger, "retry", Selection(entity="institution"), signature=SIGNED)
    await desk.settle(INSTITUTION, "done", target="u-1", after="live", exchanges=[EXCHANGE])


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Json]:
    """Give what is proven of an institution and of a student, sealed and disclosed."""

    async def make() -> dict[str, Json]:
        folder = tmp_path_factory.mktemp("ledger")
        async with desk_in(folder) as desk:
            await prepared(desk)
            audit = AuditDesk(desk.ledger, key_file=folder / "ledger.key")
            return {
                "institution": await audit.prove(INSTITUTION, disclose=True),
                "student": await audit.prove(STUDENT),
                "disclosed": await audit.prove(STUDENT, disclose=True),
            }

    return asyncio.run(make())


@pytest.mark.parametrize("name", ["institution", "student", "disclosed"])
def test_a_bundle_is_proven_without_the_packages(
    bundles: dict[str, Json], tmp_path: Path, name: str
) -> None:
    answer = verified(tmp_path, bundles[name], "--key", bundles[name]["key"])

    assert (answer.returncode, answer.stderr) == (0, "")
    assert f"PROVEN: these {len(bundles[name]['events'])} events" in answer.stdout


def test_a_bundle_tells_of_its_record_alone(bundles: dict[str, Json]) -> None:
    of_institution = [json.loads(each["envelope"]) for each in bundles["institution"]["events"]]
    types = [each["type"] for each in of_institution]

    assert types == [
        "institution.upserted",
        "operation.settled",
        "operator.retried",
        "operation.settled",
    ]
    assert "S-2" not in json.dumps(bundles)


def test_what_is_sealed_is_shown_only_when_disclosed(bundles: dict[str, Json]) -> None:
    assert MARKER not in json.dumps(bundles["student"])
    assert MARKER in bundles["disclosed"]["events"][0]["disclosed"]["payload"]
    operator = bundles["institution"]["events"][2]
    # Who decided about the record, and why, is part of its story.
    told = json.loads(operator["disclosed"]["payload"])
    assert (told["actor"], told["reason"]) == (SIGNED.actor, SIGNED.reason)


def test_the_key_that_is_trusted_decides(bundles: dict[str, Json], tmp_path: Path) -> None:
    trusted = verified(tmp_path, bundles["student"], "--key", "other+00000000+AAAA")
    unnamed = verified(tmp_path, bundles["student"])

    assert trusted.returncode == 1
    assert "not the one you trust" in trusted.stdout
    assert unnamed.returncode == 0
    assert "compare this key" in unnamed.stdout


def test_an_answer_that_could_not_be_written_is_no_success(
    bundles: dict[str, Json], tmp_path: Path
) -> None:
    file = tmp_path / "bundle.json"
    for content in (json.dumps(bundles["student"]), "{}"):
        file.write_text(content)
        command = [sys.executable, "-I", str(VERIFIER), str(file)]
        with Path("/dev/full").open("w") as full:
            ended = subprocess.run(
                command, stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )

        assert ended.returncode == 1
        assert ended.stderr == "the answer could not be written (No space left on device)\n"


def changed(value: Json) -> Iterator[Json]:
    """Yield a value with each of its leaves changed, one at a time."""
    match value:
        case dict():
            for name in value:
                yield {key: each for key, each in value.items() if key != name}
                for other in changed(value[name]):
                    yield {**value, name: other}
            yield {**value, "more": 1}
        case list():
            for number in range(len(value)):
                yield [*value[:number], *value[number + 1 :]]
                for other in changed(value[number]):
                    yield [*value[:number], other, *value[number + 1 :]]
            yield [*value, *value[:1]]
        case str():
            yield value[:-1]
            yield value + "A"
            middle = len(value) // 2
            yield value[:middle] + chr(ord(value[middle]) ^ 1) + value[middle + 1 :]
            yield None
        case int():
            yield value + 1
            yield value - 1
            yield str(value)


def says_less(bundle: Json, other: Json) -> bool:
    """Tell whether a changed bundle only left out what it may leave out."""

    def bare(event: Json) -> Json:
        return {name: value for name, value in event.items() if name != "disclosed"}

    events = other.get("events")
    if (
        not isinstance(events, list)
        or not events
        or {**bundle, "events": 0} != {**other, "events": 0}
    ):
        return False
    whole = {each["position"]: each for each in bundle["events"]}
    return len({each.get("position") for each in events}) == len(events) and all(
        isinstance(each, dict)
        and each in (whole.get(each.get("position")), bare(whole.get(each.get("position"), {})))
        for each in events
    )


def test_every_changed_field_is_refused(bundles: dict[str, Json], tmp_path: Path) -> None:
    bundle = bundles["disclosed"]
    tampered = [other for other in changed(bundle) if not says_less(bundle, other)]
    script = tmp_path / "many.py"
    script.write_text(MANY)
    (tmp_path / "tampered.json").write_text(json.dumps([bundle, *tampered]))
    command = [sys.executable, "-I", str(script), str(VERIFIER), str(tmp_path / "tampered.json")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)

    assert answer.stderr == ""
    verdicts = json.loads(answer.stdout)
    assert len(tampered) > 60
    assert verdicts[0] is True
    accepted = [tampered[number - 1] for number, each in enumerate(verdicts) if number and each]
    assert not accepted


MANY = """
import io, json, runpy, sys
from contextlib import redirect_stdout
from pathlib import Path
main = runpy.run_path(sys.argv[1], run_name="verifier")["main"]
verdicts = []
for bundle in json.loads(Path(sys.argv[2]).read_text()):
    file = Path(sys.argv[2]).with_name("one.json")
    file.write_text(json.dumps(bundle))
    sys.argv = [sys.argv[0], sys.argv[1], sys.argv[2]]
    words, sys.argv = sys.argv, ["verifier", str(file)]
    with redirect_stdout(io.StringIO()):
        verdicts.append(main() == 0)
    sys.argv = words
print(json.dumps(verdicts))
"""


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", "nonsense", '{"format": 1, "format": 2}', "[" * 100_000]
)
def test_what_is_no_bundle_is_refused_in_plain_words(tmp_path: Path, text: str) -> None:
    answer = verified(tmp_path, text)

    assert (answer.returncode, answer.stderr) == (1, "")
    assert answer.stdout.startswith("NOT PROVEN: ")


def test_a_terminal_that_knows_no_umlauts_is_told_all_the_same(
    bundles: dict[str, Json], tmp_path: Path
) -> None:
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(bundles["disclosed"]))
    plain = {**os.environ, "PYTHONIOENCODING": "ascii"}
    answer = subprocess.run(
        [sys.executable, str(VERIFIER), str(file)], env=plain, capture_output=True, check=False
    )

    assert (answer.returncode, answer.stderr) == (0, b"")
    assert b"PROVEN" in answer.stdout


async def test_an_erased_person_s_story_is_still_proven(home: Path) -> None:
    async with desk_in(home) as desk:
        await prepared(desk)
        audit = AuditDesk(desk.ledger, key_file=home / "ledger.key")
        await desk.ledger.vault.erase_person(str(STUDENT).replace(" ", ":"))
        bundle: Json = await audit.prove(STUDENT, disclose=True)
        other: Json = await audit.prove(OTHER, disclose=True)
        answer = verified(home, bundle)

    assert bundle["events"][0]["disclosed"] == "[erased]"
    assert MARKER not in json.dumps(bundle)
    assert MARKER in json.dumps(other)
    assert answer.returncode == 0
    assert "said to be erased" in answer.stdout


async def test_a_record_that_was_never_seen_has_no_proof(home: Path) -> None:
    async with desk_in(home) as desk:
        audit = AuditDesk(desk.ledger, key_file=home / "ledger.key")
        with pytest.raises(InputError, match="holds nothing of student S-9"):
            await audit.prove(SourceRef("student", "S-9"))


async def test_a_long_story_is_proven_in_parts(home: Path) -> None:
    async with desk_in(home) as desk:
        audit = AuditDesk(desk.ledger, key_file=home / "ledger.key")
        events = [
            NewEvent(
                "urn:sis:demo",
                f"e-{number}",
                "institution.upserted",
                INSTITUTION,
                private={"data": {"name": f"{number} {'x' * 200}", "country": "Brazil"}},
            )
            for number in range(400)
        ]
        await desk.ledger.append(events)
        with pytest.raises(EventError, match="prove it in parts") as refused:
            await audit.prove(INSTITUTION, disclose=True)
        through = int(str(refused.value).split("--through ")[1].split()[0])
        first: Json = await audit.prove(INSTITUTION, disclose=True, through=through)
        answer = verified(home, first)

    assert answer.returncode == 0
    assert 100_000 < len(json.dumps(first)) < 400_000
    assert base64.b64decode(first["events"][0]["sealed"])
