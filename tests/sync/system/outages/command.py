"""The command line of `scripts/outage`."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ledger.testing import SERVED
from tests.postgresql import Cluster, running_server
from tests.sync.system.outages.campaign import campaign
from tests.sync.system.outages.run import Run, Terms


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign and return how it ended: 1 if something promised does not hold."""
    given = _parser().parse_args(arguments)
    terms = Terms(given.operations, given.rate, given.outage_seconds, given.return_seconds)
    with tempfile.TemporaryDirectory() as folder:
        run = _run(Path(folder), terms, is_served=given.database == "postgresql")
    for name, value in run.figures.items():
        sys.stdout.write(f"{name:45} {value}\n")
    for broken in run.broken:
        sys.stdout.write(f"DOES NOT HOLD: {broken}\n")
    return 1 if run.broken else 0


def _run(folder: Path, terms: Terms, *, is_served: bool) -> Run:
    if not is_served:
        return asyncio.run(campaign(folder, terms))
    with running_server() as address:
        cluster = Cluster(address)
        with cluster.lent() as lent:
            (folder / SERVED).write_text(lent.render_as_string(hide_password=False))
            run = asyncio.run(campaign(folder, terms))
        cluster.close()
    return run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/outage", description=__doc__)
    parser.add_argument("--operations", type=int, default=100_000, help="how many wait")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rate", type=float, default=10.0, help="calls a second allowed")
    parser.add_argument(
        "--outage-seconds", type=float, default=60.0, help="how long each form lasts"
    )
    parser.add_argument(
        "--return-seconds", type=float, default=120.0, help="how long the return is measured"
    )
    return parser
