"""The rule that only named places touch the world: every other module decides and nothing else."""

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from tests.architecture.source import Module

EDGES = frozenset({"client", "reader", "server", "store", "worker", "writer"})
SHELLS = (
    "ledger/clock.py",
    "ledger/database/",
    "ledger/home.py",
    "ledger/ledger.py",
    "ledger/schema/migrate.py",
    "ledger/sealing.py",
    "ledger/shield.py",
    "ledger/signals.py",
    "ledger/schema/migrations/",
    "ledger/offering.py",
    "ledger/erasure/premises.py",
    "ledger/testing.py",
    "ledger/transaction.py",
    "sync/cli/",
    "sync/runtime/",
    "sync/telemetry/",
    "sync/web/",
)
# Loops and locks, the network, files, other processes, the clock, chance; and logging, which
# listens to signals instead of standing between decisions.
WORLD = frozenset(
    {
        "aiohttp",
        "aiosqlite",
        "asyncio",
        "asyncpg",
        "glob",
        "logging",
        "multiprocessing",
        "os",
        "secrets",
        "select",
        "shutil",
        "signal",
        "socket",
        "sqlite3",
        "ssl",
        "structlog",
        "subprocess",
        "tempfile",
        "threading",
        "time",
        "urllib.request",
    }
)
# Of these, what is listed is a value or a type; the rest is dice and files.
HARMLESS = {
    "random": frozenset({"Random"}),
    "pathlib": frozenset({"Path", "PurePath", "PurePosixPath", "PureWindowsPath"}),
}
CALLS = frozenset({"input", "open", "uuid1", "uuid4"})
METHODS = frozenset(
    {
        "cwd",
        "home",
        "iterdir",
        "mkdir",
        "now",
        "read_bytes",
        "read_text",
        "rglob",
        "today",
        "touch",
        "unlink",
        "utcnow",
        "uuid1",
        "uuid4",
        "write_bytes",
        "write_text",
    }
)


def is_pure(path: str) -> bool:
    """Tell whether a module of this path must keep away from the world."""
    # The last word of the name: `key_store` touches it, `restore` does not.
    word = PurePosixPath(path).stem.split("_")[-1]
    return word not in EDGES and not path.startswith(SHELLS)


def impurities(module: Module) -> Iterator[str]:
    """Tell where a pure module waits, or reads a clock, a file, a socket or the dice."""
    if is_pure(module.path):
        for node in ast.walk(module.tree):
            for what in _impure(node):
                yield module.fault(node, f"{what} in a pure module: take the value as a parameter")


def _impure(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.AsyncFunctionDef() | ast.Await():
            yield "async"
        case ast.Import(names=names):
            yield from (f"import {name.name}" for name in names if _is_world(name.name))
        case ast.ImportFrom(module=str(source), names=names):
            yield from (
                f"{name.name} from {source}" for name in names if _is_world(source, name.name)
            )
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            yield f"{name}()"
        case ast.Call(func=ast.Attribute(attr=name)) if name in METHODS:
            yield f"{name}()"
        case _:
            return


def _is_world(source: str, name: str = "") -> bool:
    if source in HARMLESS:
        return name not in HARMLESS[source]
    parts = f"{source}.{name}".split(".")
    return any(".".join(parts[:length]) in WORLD for length in range(1, len(parts) + 1))
