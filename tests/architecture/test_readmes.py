"""What the READMEs show is what the code has."""

import os
import subprocess
import sys
from pathlib import Path

import ledger
from ledger.outbox.operation import MOVES
from tests.architecture.source import ROOT


def test_the_readme_shows_every_move_that_the_code_allows() -> None:
    rows = [
        f"| {state} | {', '.join(f'{target} ({move})' for move, target in moves.items())} |"
        for state, moves in MOVES.items()
        if moves
    ]
    expected = "\n".join(["| from | may become |", "|---|---|", *rows])

    text = (Path(ledger.__file__).parent / "README.md").read_text(encoding="utf-8")

    assert text.split("<!-- moves -->")[1].split("<!-- /moves -->")[0].strip() == expected


def test_the_embedding_example_runs_as_it_stands(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    example = text.split("```python\n")[1].split("```")[0]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("DOKSTAMP_")
    }

    done = subprocess.run(
        [sys.executable, "-c", example],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "is_taken=True" in done.stdout
    assert "The remote record is live" in done.stdout
