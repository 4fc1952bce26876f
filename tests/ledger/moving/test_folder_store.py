"""Files that give way are kept together, whoever dies while they are renamed."""

from pathlib import Path

import pytest

from ledger.errors import LedgerBelongsElsewhereError
from ledger.moving.folder_store import cut_short, keep_aside


def databases(folder: Path, *names: str) -> tuple[Path, Path]:
    for name in names:
        (folder / name).write_text(name)
    return folder / "ledger.db", folder / "ledger.vault.db"


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_log_goes_where_its_database_went_although_somebody_died_in_between(
    tmp_path: Path,
) -> None:
    both = databases(tmp_path, "ledger.replaced-1.db", "ledger.db-wal", "ledger.vault.db")

    keep_aside(both, stamp=cut_short(both) or "2")

    assert names_in(tmp_path) == {
        *("ledger.replaced-1.db", "ledger.replaced-1.db-wal", "ledger.vault.replaced-1.db"),
    }


def test_the_log_of_a_vault_goes_where_its_vault_went(tmp_path: Path) -> None:
    both = databases(
        tmp_path, "ledger.replaced-1.db", "ledger.vault.replaced-1.db", "ledger.vault.db-wal"
    )

    keep_aside(both, stamp=cut_short(both) or "2")

    assert "ledger.vault.replaced-1.db-wal" in names_in(tmp_path)


def test_what_was_kept_whole_is_not_gone_on_with(tmp_path: Path) -> None:
    both = databases(
        tmp_path, "ledger.replaced-1.db", "ledger.vault.replaced-1.db", "ledger.vault.db"
    )

    assert cut_short(both) is None


def test_a_name_that_is_taken_is_not_written_over(tmp_path: Path) -> None:
    both = databases(tmp_path, "ledger.replaced-1.db", "ledger.db")

    with pytest.raises(LedgerBelongsElsewhereError, match="move it away"):
        keep_aside(both, stamp="1")
