"""The lock answers to pyproject.toml and installs from any index."""

import re
import tomllib
from collections.abc import Iterator

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.source import ROOT

LOCKED_GROUPS = ("test", "check", "build")
PINNED = re.compile(r"([a-z0-9.-]+)==(\S+)(?: ; .+)? \\")
HASHED = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def requirements(project_file: str) -> Iterator[Requirement]:
    """Return what the project, its extras and its locked groups ask for."""
    settings = tomllib.loads(project_file)
    project, groups = settings["project"], settings["dependency-groups"]
    extras = project.get("optional-dependencies", {}).values()
    lists = [project["dependencies"], *extras, *(groups[name] for name in LOCKED_GROUPS)]
    for requirement in (Requirement(line) for lines in lists for line in lines):
        if requirement.name != project["name"]:
            yield requirement


def unmet(project_file: str, lock: str) -> list[str]:
    """Tell which requirements the lock does not hold, or holds in a version that will not do."""
    pins = dict(re.findall(rf"^{PINNED.pattern}$", lock, re.MULTILINE))

    def is_met(requirement: Requirement) -> bool:
        version = pins.get(canonicalize_name(requirement.name))
        return version is not None and requirement.specifier.contains(version)

    return [str(wish) for wish in requirements(project_file) if not is_met(wish)]


def odd_lines(lock: str) -> list[str]:
    """Tell which lines are anything but a pin or a hash: options and addresses are odd."""
    return [
        line
        for line in lock.splitlines()[1:]
        if not (PINNED.fullmatch(line) or HASHED.fullmatch(line))
    ]


def read(name: str) -> str:
    """Return the text of a file of the project."""
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_lock_holds_all_that_the_project_asks_for() -> None:
    faults = unmet(read("pyproject.toml"), read("scripts/requirements.txt"))

    assert not faults, f"run scripts/lock: {faults}"


def test_the_lock_holds_pins_and_hashes_only() -> None:
    assert not odd_lines(read("scripts/requirements.txt"))


def test_a_stale_lock_is_seen() -> None:
    project = """
        [project]
        name = "house"
        dependencies = ["brick>=2", "beam"]
        optional-dependencies = {roof = ["Tile_Red>=1"], all = ["house[roof]"]}
        [dependency-groups]
        test = ["level"]
        check = []
        build = []
    """
    lock = "# first line\nbrick==1.9 \\\nbeam==4 \\\ntile-red==1.0 ; os_name == 'posix' \\\n"

    assert unmet(project, lock) == ["brick>=2", "level"]
    assert odd_lines(lock + "brick @ file:brick.whl\n") == ["brick @ file:brick.whl"]
