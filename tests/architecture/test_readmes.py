"""What the READMEs show is what the code has."""

from pathlib import Path

import ledger
from ledger.outbox.operation import MOVES


def test_the_readme_shows_every_move_that_the_code_allows() -> None:
    rows = [
        f"| {state} | {', '.join(f'{target} ({move})' for move, target in moves.items())} |"
        for state, moves in MOVES.items()
        if moves
    ]
    expected = "\n".join(["| from | may become |", "|---|---|", *rows])

    text = (Path(ledger.__file__).parent / "README.md").read_text(encoding="utf-8")

    assert text.split("<!-- moves -->")[1].split("<!-- /moves -->")[0].strip() == expected
