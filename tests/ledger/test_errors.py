import inspect
import re

import ledger.errors
from ledger.errors import IntegrityError, LedgerError


def test_the_drawing_names_every_error_and_nothing_else() -> None:
    drawn = set(re.findall(r"\w+Error\b", ledger.errors.__doc__ or ""))

    defined = {
        name
        for name, value in vars(ledger.errors).items()
        if inspect.isclass(value) and issubclass(value, LedgerError)
    }

    assert drawn == defined


def test_an_integrity_error_carries_the_position_of_the_damage() -> None:
    error = IntegrityError("event 17 does not match its hash", position=17)

    assert error.position == 17
    assert str(error) == "event 17 does not match its hash"
