"""What a package says is public is what can be imported from it, no more and no less."""

from importlib import import_module
from pathlib import PurePosixPath
from types import ModuleType

import pytest

from tests.architecture.source import ROOT

PACKAGES = tuple(
    ".".join(PurePosixPath(path.relative_to(ROOT)).parent.parts)
    for top in ("ledger", "sync")
    for path in sorted((ROOT / top).rglob("__init__.py"))
    if "migrations" not in path.parts
)


def public_names(package: ModuleType) -> set[str]:
    """Return what a package's own file binds for others; its submodules are there anyway."""
    return {
        name
        for name, value in vars(package).items()
        if not name.startswith("_")
        and name != "TYPE_CHECKING"
        and not (isinstance(value, ModuleType) and value.__name__ == f"{package.__name__}.{name}")
    }


def faults(package: ModuleType) -> list[str]:
    """Tell how what a package lists differs from what it holds."""
    listed: list[str] = getattr(package, "__all__", [])
    names = sorted(set(listed))
    return [
        *(f"{name} is listed twice" for name in names if listed.count(name) > 1),
        # Asked for by name, because a package may import a heavy part only when it is wanted.
        *(f"{name} is listed but not there" for name in names if not hasattr(package, name)),
        *(
            f"{name} is there but not listed"
            for name in sorted(public_names(package) - set(listed))
        ),
    ]


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_lists_exactly_what_it_offers(name: str) -> None:
    assert not faults(import_module(name))


def test_a_wrong_list_is_seen() -> None:
    package = ModuleType("package")
    submodule = ModuleType("package.parts")
    content = {"__all__": ["append", "lost", "lost"], "append": 1, "stray": 2, "parts": submodule}
    vars(package).update(content)

    assert faults(package) == [
        "lost is listed twice",
        "lost is listed but not there",
        "stray is there but not listed",
    ]
