from hypothesis import given
from hypothesis import strategies as st

from ledger.log.canonical import canonical_bytes
from ledger.outbox import plan_codec
from ledger.outbox.gate import Gate, GateKind
from ledger.outbox.plan import Hold, Intent, Plan, Superseding
from ledger.reference import OperationKey, SourceRef

POSITIONS = st.integers(0, 2**53)
TEXTS = st.text("ab-:|é", max_size=3)
REFERENCES = st.builds(SourceRef, TEXTS, TEXTS)
RECORDS = st.lists(REFERENCES, max_size=2).map(tuple)
KEYS = TEXTS.map(OperationKey)
GATES = st.builds(Gate, st.sampled_from(GateKind), REFERENCES, operation=st.none() | KEYS)
INTENTS = st.builds(
    Intent,
    key=KEYS,
    cause=POSITIONS,
    reference=REFERENCES,
    kind=TEXTS,
    gates=st.lists(GATES, max_size=2).map(tuple),
    priority=st.integers(0, 2),
    payload=st.none() | POSITIONS,
    place=st.none() | POSITIONS,
    held=st.none() | TEXTS,
    concerns=RECORDS,
    finished=st.none() | TEXTS,
    completes=st.booleans(),
)
PLANS = st.builds(
    Plan,
    through=POSITIONS,
    intents=st.lists(INTENTS, max_size=2).map(tuple),
    supersedings=st.lists(st.builds(Superseding, KEYS, KEYS), max_size=2).map(tuple),
    holds=st.lists(st.builds(Hold, KEYS, TEXTS, RECORDS), max_size=2).map(tuple),
    parked=st.lists(st.tuples(POSITIONS, TEXTS), max_size=2).map(tuple),
    late=st.lists(POSITIONS, max_size=2).map(tuple),
)


@given(PLANS)
def test_a_plan_is_read_as_it_was_written(plan: Plan) -> None:
    encoded = plan_codec.encode(plan)

    canonical_bytes(encoded)
    assert plan_codec.decode(encoded) == plan


def test_a_plan_that_only_read_on_is_empty() -> None:
    assert plan_codec.is_empty(Plan(7))
    assert plan_codec.encode(Plan(7)) == {"through": 7}
    assert not plan_codec.is_empty(Plan(7, late=(7,)))
