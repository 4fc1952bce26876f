"""The public names, and what a host can do with them."""

import ast
import subprocess
import sys
from pathlib import Path

from sync import simulator
from sync.simulator import FOREIGN_TENANT, PRACTICE_TENANT, Simulator, Tenant, practice_tenant
from tests.sync.simulator.practice import Practice


def test_the_core_needs_no_http_library() -> None:
    program = "import sys, sync.simulator; sys.exit('aiohttp' in sys.modules)"

    answer = subprocess.run([sys.executable, "-c", program], check=False)

    assert answer.returncode == 0


def test_the_reading_of_the_contract_is_independent() -> None:
    folder = Path(simulator.__file__).parent
    strangers = {
        (path.name, name)
        for path in folder.glob("*.py")
        for name in _imported(path)
        if not name.startswith(("sync.simulator", "sync.errors"))
        and name.partition(".")[0] not in sys.stdlib_module_names
    }

    assert strangers == {("http_server.py", "aiohttp")}


def _imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    return plain | {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}


def test_the_public_names_are_there() -> None:
    assert all(hasattr(simulator, name) for name in simulator.__all__)


def test_the_first_tenant_is_the_one_to_practise_with() -> None:
    tenants: tuple[Tenant, ...] = (practice_tenant("mine"), PRACTICE_TENANT)

    assert Simulator(tenants=tenants).tenant.client_id == "mine-client"
    assert Simulator().tenant == PRACTICE_TENANT != FOREIGN_TENANT


def test_records_can_be_narrowed_to_a_tenant() -> None:
    practice = Practice()
    practice.student()

    assert len(practice.simulator.records("students", tenant=PRACTICE_TENANT.domain)) == 1
    assert practice.simulator.records("students", tenant=FOREIGN_TENANT.domain) == []
