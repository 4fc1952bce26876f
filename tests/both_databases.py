"""Sees to it that a test which uses a database runs on both kinds, or says why it does not.

A test runs on both by asking for `home`, or in `tests/ledger` for what stands on `staging`. What is
true of one kind only is marked with `one_database`, and the reason.
"""

import pytest
from sqlalchemy import Engine, event

MARK = "one_database"
PARAMETRISED = frozenset({"home", "staging", "place", "shared"})
MARKERS = f"{MARK}(why): what this test tells is true of one kind of database only"


class Watch:
    """Counts the connections that this process makes to databases."""

    connections = 0

    def start(self) -> None:
        """Count from now on."""
        event.listen(Engine, "connect", self._count)

    def _count(self, *_: object) -> None:
        self.connections += 1


def has_excuse(request: pytest.FixtureRequest) -> bool:
    """Tell whether a test may connect to a database: it does so on both kinds, or says why not."""
    marker = request.node.get_closest_marker(MARK)
    if marker is not None and (len(marker.args) != 1 or not str(marker.args[0]).strip()):
        pytest.fail(f"`{MARK}` needs one reason")
    return marker is not None or not PARAMETRISED.isdisjoint(request.fixturenames)
