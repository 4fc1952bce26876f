"""Files that give way are kept together, whoever dies while they are renamed."""

from pathlib import Path

import pytest

from ledger.errors import LedgerBelongsElsewhereError
from ledger.moving.folder_store import cut_short, keep_aside, make_empty


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


def test_a_log_of_somebody_else_is_not_taken_for_that_of_what_was_kept(tmp_path: Path) -> None:
    both = databases(
        tmp_path, "ledger.replaced-1.db", "ledger.vault.replaced-1.db", "ledger.db-wal"
    )

    assert cut_short(both) is None


def test_nothing_is_renamed_where_one_name_is_taken(tmp_path: Path) -> None:
    taken = ("ledger.db-wal", "ledger.vault.db", "ledger.replaced-1.db-wal")
    both = databases(tmp_path, *taken)

    with pytest.raises(LedgerBelongsElsewhereError, match="move it away"):
        keep_aside(both, stamp="1")

    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {
        each: each for each in taken
    }
    (tmp_path / "ledger.replaced-1.db-wal").rename(tmp_path / "ledger.vault.replaced-1.db")
    with pytest.raises(LedgerBelongsElsewhereError, match="move it away"):
        keep_aside(both, stamp="1")
    assert (tmp_path / "ledger.db-wal").exists()


def test_a_folder_that_is_emptied_is_never_gone(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (folder / "file").write_text("")
    before = folder.stat().st_ino

    make_empty(folder)

    assert (folder.stat().st_ino, [*folder.iterdir()]) == (before, [])
