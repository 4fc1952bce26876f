import gc
import sys

from sync.cli.steady import SWITCH_SECONDS, be_steady


def test_what_is_loaded_is_not_looked_through_again() -> None:
    before = sys.getswitchinterval()
    try:
        be_steady()
        frozen, switching = gc.get_freeze_count(), sys.getswitchinterval()
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before)

    assert frozen > 10_000
    assert abs(switching - SWITCH_SECONDS) < SWITCH_SECONDS / 10
