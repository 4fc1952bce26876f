"""The project's own Python files, read once and parsed, for the rules about them."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file: where it is from the root, what it says and what that means."""

    path: str
    text: str
    tree: ast.Module

    @classmethod
    def of(cls, path: str, text: str) -> "Module":
        """Return the module that a file of this path and text would be."""
        return cls(path, text, ast.parse(text, path))

    def fault(self, where: ast.AST, what: str) -> str:
        """Return a complaint that an editor can jump to."""
        return f"{self.path}:{getattr(where, 'lineno', 1)}: {what}"


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """Return every Python module below these folders of the root."""
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return tuple(
        Module.of(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in paths
    )
