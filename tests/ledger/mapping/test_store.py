import pytest
from sqlalchemy import Connection

from ledger.errors import ConflictError
from ledger.mapping import store
from ledger.mapping.binding import Binding, BindingState
from ledger.reference import Scope, SourceRef, TargetId

COURSE = SourceRef("course", "C-1")
OTHER = SourceRef("course", "C-2")
TARGET = TargetId("AAAA-1")


def bound(
    reference: SourceRef = COURSE,
    target: TargetId = TARGET,
    *,
    position: int = 3,
    state: BindingState = BindingState.LIVE,
) -> Binding:
    return Binding(reference, target, state=state, position=position, sent=2, is_complete=True)


def test_a_binding_is_read_as_it_was_written(connection: Connection, scope: Scope) -> None:
    store.write(connection, scope, binding=bound())

    assert store.find(connection, scope, reference=COURSE) == bound()
    assert store.find(connection, scope, reference=OTHER) is None
    assert store.find_all(connection, scope, references=[COURSE, OTHER]) == {COURSE: bound()}


def test_a_record_has_one_binding_and_keeps_its_history(
    connection: Connection, scope: Scope
) -> None:
    store.write(connection, scope, binding=bound())
    store.write(connection, scope, binding=bound(position=5, state=BindingState.RETIRED))

    story = store.of_target(connection, scope, target=TARGET)

    found = store.find(connection, scope, reference=COURSE)
    assert found == bound(position=5, state=BindingState.RETIRED)
    assert [(each.position, each.state) for each in story] == [(5, "retired"), (3, "live")]


@pytest.mark.parametrize("spelling", [TARGET, TargetId("aaaa-1")])
def test_a_target_stands_for_one_record_whatever_its_case(
    connection: Connection, scope: Scope, spelling: TargetId
) -> None:
    store.write(connection, scope, binding=bound())

    with pytest.raises(ConflictError, match="course C-2 is bound to another record: look with"):
        store.write(connection, scope, binding=bound(OTHER, spelling))


def test_a_record_cannot_move_to_the_target_of_another(
    connection: Connection, scope: Scope
) -> None:
    store.write(connection, scope, binding=bound())
    store.write(connection, scope, binding=bound(OTHER, TargetId("b")))

    with pytest.raises(ConflictError):
        store.write(connection, scope, binding=bound(OTHER, TARGET, position=4))


def test_the_same_target_may_stand_for_records_of_two_entities(
    connection: Connection, scope: Scope
) -> None:
    module = SourceRef("module", "C-1")
    store.write(connection, scope, binding=bound())
    store.write(connection, scope, binding=bound(module))

    assert store.find(connection, scope, reference=module) == bound(module)


def test_a_released_target_may_be_bound_again(connection: Connection, scope: Scope) -> None:
    store.write(connection, scope, binding=bound())
    store.write(connection, scope, binding=bound(position=4, state=BindingState.RELEASED))

    store.write(connection, scope, binding=bound(OTHER, TARGET, position=5))

    held = store.holders(connection, scope, entity="course", targets=[TARGET])
    story = store.of_target(connection, scope, target=TargetId("aaaa-1"))
    assert held == {TARGET: OTHER}
    assert [each.reference for each in story] == [OTHER, COURSE, COURSE]


def test_holders_are_found_in_the_spelling_that_was_asked_for(
    connection: Connection, scope: Scope
) -> None:
    store.write(connection, scope, binding=bound())
    asked = [TargetId("aAaA-1"), TargetId("unknown")]

    assert store.holders(connection, scope, entity="course", targets=asked) == {asked[0]: COURSE}
    assert store.holders(connection, scope, entity="module", targets=asked) == {}


def test_holders_of_one_target_are_found_in_every_spelling(
    connection: Connection, scope: Scope
) -> None:
    store.write(connection, scope, binding=bound())
    asked = [TargetId("aaaa-1"), TargetId("AAAA-1")]

    held = store.holders(connection, scope, entity="course", targets=asked)

    assert held == dict.fromkeys(asked, COURSE)


def test_bindings_are_paged_by_entity_and_id(connection: Connection, scope: Scope) -> None:
    names = [("course", "a"), ("course", "b"), ("module", "a"), ("module", "c")]
    for number, name in enumerate(reversed(names)):
        store.write(connection, scope, binding=bound(SourceRef(*name), TargetId(str(number))))

    paged: list[Binding] = []
    while page := store.read_page(
        connection, scope, after=paged[-1].reference if paged else None, limit=3
    ):
        paged += page

    of_modules = store.read_page(connection, scope, entity="module", limit=9)
    assert [each.reference for each in paged] == [SourceRef(*name) for name in names]
    assert [each.reference.source_id for each in of_modules] == ["a", "c"]


def test_bound_records_are_counted_by_entity(connection: Connection, scope: Scope) -> None:
    store.write(connection, scope, binding=bound())
    store.write(connection, scope, binding=bound(OTHER, TargetId("b"), state=BindingState.MISSING))
    released = bound(SourceRef("module", "M"), state=BindingState.RELEASED)
    store.write(connection, scope, binding=released)

    assert store.count_by_entity(connection, scope) == {"course": 2}


def test_two_generations_do_not_see_each_other(connection: Connection, scope: Scope) -> None:
    following = Scope(scope.ledger, scope.generation + 1)
    store.write(connection, scope, binding=bound())

    store.write(connection, following, binding=bound(OTHER))

    assert store.find(connection, following, reference=COURSE) is None
    assert store.find(connection, scope, reference=COURSE) == bound()
