"""An outbox in memory for every test of its stores."""

import pytest
from sqlalchemy import Connection

from tests.ledger.outbox.histories import Outbox


@pytest.fixture
def outbox(connection: Connection) -> Outbox:
    """Give an empty outbox."""
    return Outbox(connection)
