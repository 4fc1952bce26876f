"""The house rules about the shape of code, and the proof that each of them bites."""

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.architecture.purity import impurities, is_pure
from tests.architecture.rules import abbreviations, long_functions, long_modules
from tests.architecture.source import ROOT, Module, modules

EVERYWHERE = ("ledger", "sync", "tests")
PRODUCT = ("ledger", "sync")

Rule = Callable[[Module], Iterator[str]]

RULES: tuple[tuple[Rule, tuple[str, ...]], ...] = (
    (long_modules, EVERYWHERE),
    (long_functions, EVERYWHERE),
    (abbreviations, PRODUCT),
    (impurities, PRODUCT),
)
OFFENCES: tuple[tuple[Rule, str], ...] = (
    (long_modules, "x = 1\n" * 301),
    (long_functions, "def work():\n" + "    x = 1\n" * 40),
    (long_functions, "class A:\n    async def work(self):\n" + "        x = 1\n" * 40),
    (abbreviations, "conn = 1"),
    (abbreviations, "def work(ctx): ..."),
    (abbreviations, "def work(*, db_path): ..."),
    (abbreviations, "self._msg = 1"),
    (abbreviations, "for idx in (): ..."),
    (abbreviations, "import x as repo"),
    (abbreviations, "class Lease:\n    pos: int"),
    (abbreviations, "match x:\n    case [seq, *val]: ..."),
    (impurities, "async def work(): ..."),
    (impurities, "import asyncio"),
    (impurities, "import os.path"),
    (impurities, "from urllib import request"),
    (impurities, "import urllib.request"),
    (impurities, "from time import monotonic"),
    (impurities, "import random"),
    (impurities, "from random import Random, choice"),
    (impurities, "from secrets import token_bytes"),
    (impurities, "import pathlib"),
    (impurities, "import structlog"),
    (impurities, "datetime.now(UTC)"),
    (impurities, "datetime.datetime.utcnow()"),
    (impurities, "date.today()"),
    (impurities, "uuid.uuid4()"),
    (impurities, "uuid4()"),
    (impurities, "open('x')"),
    (impurities, "path.read_text()"),
)
# Rules that are not written again here because the linter has them.
LINTED: tuple[tuple[str, str], ...] = (
    ("D100", "x = 1\n"),
    ("D101", "class Lease:\n    x = 1\n"),
    ("D102", 'class Lease:\n    """Say."""\n    def work(self): ...\n'),
    ("D103", "def work(): ...\n"),
    ("T201", "print()\n"),
    ("C901", "def work(x):\n" + "    if x:\n        x += 1\n" * 11),
    ("FBT001", "def work(loud: bool): ...\n"),
    ("PLR0917", "def work(a, b, c, d, e, f): ...\n"),
    ("PGH003", "x = 1  # type: ignore\n"),
    ("PGH004", "x = 1  # noqa\n"),
    ("DTZ005", "import datetime\ndatetime.datetime.now()\n"),
)
GOOD = '''"""A pure module."""
from datetime import datetime, time
from pathlib import PurePosixPath
from random import Random
from urllib.parse import quote

def next_attempt(position: int, *, now: datetime, rng: Random) -> float:
    value = sealed.open(position)
    return rng.random()
'''


@pytest.mark.parametrize(("rule", "folders"), RULES, ids=lambda part: getattr(part, "__name__", ""))
def test_the_tree_obeys(rule: Rule, folders: tuple[str, ...]) -> None:
    faults = [fault for module in modules(*folders) for fault in rule(module)]

    assert not faults, "\n" + "\n".join(faults)


@pytest.mark.parametrize(("rule", "text"), OFFENCES)
def test_a_rule_sees_an_offence(rule: Rule, text: str) -> None:
    faults = list(rule(Module.of("ledger/outbox/plan.py", text)))

    assert faults
    assert faults[0].startswith("ledger/outbox/plan.py:")


@pytest.mark.parametrize("rule", [rule for rule, _ in RULES])
def test_no_rule_complains_of_good_code(rule: Rule) -> None:
    assert not list(rule(Module.of("ledger/outbox/plan.py", GOOD)))


@pytest.mark.parametrize(
    "path",
    [
        "ledger/outbox/operation.py",
        "ledger/outbox/restore.py",
        "ledger/outbox/__init__.py",
        "ledger/schema/tables.py",
        "ledger/checkpoints.py",
        "sync/dispatcher/step.py",
    ],
)
def test_what_decides_is_pure(path: str) -> None:
    assert is_pure(path)


@pytest.mark.parametrize(
    "path",
    [
        "ledger/ledger.py",
        "ledger/outbox/store.py",
        "ledger/schema/migrations/env.py",
        "ledger/vault/key_store.py",
        "sync/runtime/settings.py",
        "sync/simulator/server.py",
    ],
)
def test_what_its_name_puts_at_the_edge_may_touch_the_world(path: str) -> None:
    assert not is_pure(path)


@pytest.mark.parametrize(("code", "text"), LINTED)
def test_the_linter_holds_its_part_of_the_house_rules(code: str, text: str) -> None:
    arguments = ["--no-cache", "--output-format=concise", "--stdin-filename=ledger/work.py", "-"]
    command = [sys.executable, "-m", "ruff", "check", *arguments]
    answer = subprocess.run(
        command, input=text, capture_output=True, text=True, cwd=ROOT, check=False
    )

    assert f" {code} " in answer.stdout
