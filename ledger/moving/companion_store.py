"""What is kept beside a key file about a ledger, carried along when the ledger moves."""

from datetime import datetime
from pathlib import Path

from ledger.reference import LedgerId
from ledger.vault.register_store import Register


def carry_companions(key_file: Path, to: Path, *, ledger_id: LedgerId) -> None:
    """Note beside another key file whom this ledger has erased; again, it changes nothing."""
    register = Register.beside(to)
    if register.path.resolve() == Register.beside(key_file).path.resolve():
        return
    for each in Register.beside(key_file).entries(ledger_id):
        register.add(
            ledger_id,
            each.person,
            position=each.position,
            recorded_at=datetime.fromisoformat(each.recorded_at),
            root=each.root,
        )
