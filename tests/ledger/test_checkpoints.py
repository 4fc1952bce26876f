from sqlalchemy import Connection

from ledger import checkpoints
from ledger.reference import Scope


def test_a_reader_that_has_read_nothing_stands_before_all(
    connection: Connection, scope: Scope
) -> None:
    assert checkpoints.read(connection, scope, name="projector") == checkpoints.BEFORE_ALL


def test_each_reader_has_a_place_of_its_own(connection: Connection, scope: Scope) -> None:
    following = Scope(scope.ledger, scope.generation + 1)
    for name, position in (("projector", 3), ("audit", 1), ("projector", 5)):
        checkpoints.write(connection, scope, name=name, position=position)

    assert checkpoints.read(connection, scope, name="projector") == 5
    assert checkpoints.read(connection, scope, name="audit") == 1
    assert checkpoints.read(connection, following, name="projector") == checkpoints.BEFORE_ALL
