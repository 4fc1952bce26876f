"""`scripts/switches`: every switch of the practice DokStamp, alone and in pairs."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.sync.system.switching.pairs import Row, all_pairs, covering
from tests.sync.system.switching.trial import CHOICES, trial

TOLD_EVERY = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Try what was asked for; returns 1 where something does not hold."""
    given = _parser().parse_args(arguments)
    rows = _chosen(given)
    say(f"{len(rows)} trials of two terms each")
    failed = 0
    for number, (row, faults) in enumerate(_tried(rows, jobs=given.jobs), start=1):
        if faults:
            failed += 1
            say("\n  ".join([f"FAILED {_named(row)}", *faults[:5]]))
        if number % TOLD_EVERY == 0:
            say(f"{number} of {len(rows)} tried, {failed} failed")
    say(f"{len(rows)} tried, {failed} failed")
    return 1 if failed else 0


def say(line: str) -> None:
    """Tell how far it is, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/switches", description=__doc__)
    parser.add_argument(
        "--pairs",
        choices=("covering", "all", "none"),
        default="covering",
        help="rows in which every pair of positions occurs (default), each pair by itself, "
        "or each position alone",
    )
    parser.add_argument("--seed", type=int, default=1, help="which covering rows")
    parser.add_argument("--from", dest="first", type=int, default=0, help="skip so many trials")
    parser.add_argument("--count", type=int, help="stop after so many trials")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes try at once")
    parser.add_argument(
        "--row", nargs="+", metavar="SWITCH=POSITION", help="only this one trial instead"
    )
    return parser


def _chosen(given: argparse.Namespace) -> list[Row]:
    if given.row:
        return [dict(each.split("=", 1) for each in given.row)]
    match given.pairs:
        case "all":
            rows = list(all_pairs(CHOICES))
        case "none":
            rows = [{name: each} for name, positions in CHOICES.items() for each in positions]
        case _:
            rows = covering(CHOICES, seed=given.seed)
    last = None if given.count is None else given.first + given.count
    return rows[given.first : last]


def _tried(rows: Sequence[Row], *, jobs: int) -> Iterator[tuple[Row, list[str]]]:
    if jobs == 1:
        yield from _each(rows)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from zip(rows, pool.map(_try, rows), strict=True)


def _each(rows: Iterable[Row]) -> Iterator[tuple[Row, list[str]]]:
    for row in rows:
        yield row, _try(row)


def _try(row: Row) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="dokstamp-switches-") as folder:
        try:
            return asyncio.run(trial(Path(folder), row))
        except Exception as error:  # noqa: BLE001 - a trial that breaks off has failed
            return [f"{type(error).__name__}: {error}"]


def _named(row: Mapping[str, str]) -> str:
    defaults = {name: positions[0] for name, positions in CHOICES.items()}
    return " ".join(f"{name}={each}" for name, each in row.items() if each != defaults[name])


if __name__ == "__main__":
    sys.exit(main())
