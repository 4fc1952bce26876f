from ledger.outbox.operation import Operation, Priority, State
from ledger.outbox.turns import take_turns
from ledger.reference import OperationKey, SourceRef


def some(name: str, count: int) -> list[Operation]:
    reference = SourceRef("course", name)
    return [
        Operation(OperationKey(f"{name}{number}"), number, reference, "upsert", State.READY)
        for number in range(count)
    ]


def names(operations: list[Operation]) -> str:
    return "".join(operation.reference.source_id for operation in operations)


BUSY = {
    Priority.REVOKE: some("v", 6),
    Priority.ISSUE: some("i", 6),
    Priority.REST: some("r", 6),
}


def test_of_six_turns_the_urgent_get_five() -> None:
    assert names(take_turns(BUSY, start=0))[:12] == "vivivrvivivr"


def test_whoever_starts_everybody_comes_first_at_times() -> None:
    first = {names(take_turns(BUSY, start=start))[0] for start in range(6)}

    assert first == {"v", "i", "r"}


def test_inside_a_class_the_order_stays() -> None:
    ordered = take_turns(BUSY, start=4)

    for priority, expected in BUSY.items():
        mine = [each for each in ordered if each.reference == expected[0].reference]
        assert mine == expected, priority


def test_a_class_without_work_is_passed() -> None:
    assert names(take_turns({Priority.REST: some("r", 3)}, start=0)) == "rrr"
    assert take_turns({}, start=0) == []
