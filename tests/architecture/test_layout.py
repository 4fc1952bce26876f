"""Where things stand in the tree, and what no file of it may name."""

import re
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

TOP_LEVEL = frozenset(
    {
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "ledger",
        "pyproject.toml",
        "scripts",
        "sync",
        "tests",
    }
)
WHOLE_SYSTEM = ("tests/ledger/system/", "tests/sync/system/")
"""Where tests stand that run every part at once, and so mirror none."""
# Written so that no pattern finds itself.
FOREIGN = re.compile(
    r"(?<![\w.:-])/(?:home|opt|root|tmp|work|Users)/"
    r"|pypi[.]org|pythonhosted[.]org|npmjs[.]org|deb[.]debian|crates[.]io"
    r"|^\s*(?:--|-i |)(?:extra-)?index-url",
    re.MULTILINE,
)


@cache
def files() -> tuple[str, ...]:
    """Return every file that is, or is about to be, part of the project."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode:
        pytest.skip("not a git checkout")
    return tuple(path for path in answer.stdout.split("\0") if path and (ROOT / path).is_file())


def out_of_place(paths: Iterable[str]) -> Iterator[str]:
    """Tell which paths add to the top level what nobody agreed to."""
    for path in paths:
        top = path.partition("/")[0]
        if top not in TOP_LEVEL and not top.startswith("."):
            yield f"{path}: the top level is full; put it where it belongs"


def unmirrored(paths: Iterable[str]) -> Iterator[str]:
    """Tell which test files stand where no module of that path is.

    The name of a module may be followed by what of it is tested, as in `test_issue_in_doubt.py`.
    """
    known = set(paths)
    for path in sorted(known):
        mirrored = re.fullmatch(r"tests/((?:ledger|sync)/(?:.+/)?)test_(\w+)\.py", path)
        if mirrored and not path.startswith(WHOLE_SYSTEM):
            folder, name = mirrored.groups()
            words = name.split("_")
            modules = [folder + "_".join(words[: count + 1]) for count in range(len(words))]
            if known.isdisjoint(
                f"{each}{end}" for each in modules for end in (".py", "/__init__.py")
            ):
                yield f"{path}: there is no {modules[-1]}.py to test"


def foreign_names(path: str, text: str) -> Iterator[str]:
    """Tell where a file names a folder of one machine or a place to download from."""
    for found in FOREIGN.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield f"{path}:{line}: {found.group()!r} is true on one machine only"


def read(path: str) -> str:
    """Return the text of a file, or what of it can be read as text."""
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def test_the_top_level_holds_only_what_was_agreed() -> None:
    faults = list(out_of_place(files()))

    assert not faults, "\n" + "\n".join(faults)


def test_tests_mirror_the_packages() -> None:
    faults = list(unmirrored(files()))

    assert not faults, "\n" + "\n".join(faults)


def test_no_file_names_a_machine_or_an_index() -> None:
    faults = [fault for path in files() for fault in foreign_names(path, read(path))]

    assert not faults, "\n" + "\n".join(faults)


def test_a_stray_file_at_the_top_is_seen() -> None:
    faults = list(out_of_place(["docs/plan.md", "notes.txt", ".gitignore", "ledger/README.md"]))

    assert [fault.partition(":")[0] for fault in faults] == ["docs/plan.md", "notes.txt"]


def test_a_test_without_a_module_is_seen() -> None:
    modules = ["ledger/outbox/lane.py", "ledger/outbox/__init__.py"]
    right = [
        "tests/ledger/outbox/test_lane.py",
        "tests/ledger/outbox/test_lane_in_doubt.py",
        "tests/ledger/test_outbox.py",
    ]
    free = [
        "tests/architecture/test_layout.py",
        "tests/ledger/outbox/histories.py",
        f"{WHOLE_SYSTEM}test_kills.py",
    ]

    faults = list(unmirrored([*modules, *right, *free, "tests/ledger/outbox/test_lease.py"]))

    assert faults == [
        "tests/ledger/outbox/test_lease.py: there is no ledger/outbox/lease.py to test"
    ]


@pytest.mark.parametrize(
    "place",
    [
        str(Path("/", "work", "main")),
        str(Path("/", "home", "me")),
        "https://pypi|org".replace("|", "."),
        "--index|url".replace("|", "-"),
        "--extra-index|url".replace("|", "-"),
    ],
)
def test_a_foreign_name_is_seen(place: str) -> None:
    faults = list(foreign_names("scripts/lock", f"first line\n{place}/x"))

    assert [fault.partition(": ")[0] for fault in faults] == ["scripts/lock:2"]


@pytest.mark.parametrize("text", ["../shared/data", "https://example.org/home/1", "see tmp/"])
def test_an_address_that_is_true_everywhere_is_let_through(text: str) -> None:
    assert not list(foreign_names("README.md", text))
