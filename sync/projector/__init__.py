"""The projector: what one source event makes of the outbox.

It owns every rule that turns "the record is so now" into operations, gates and supersedings. It
never talks to DokStamp, and everything but its workers is pure: `plan_event(event, known)` answers
the same in every replay.

```
plan.py ──► upsert.py ──► state.py ─┬─► supersede.py   what happens to the record's open operations
        ├─► retire.py ──────────────┤   gate.py        what the new operation waits for
        └─► certificate.py ─────────┤   key.py         who else holds its natural key
                                    └─► guard.py       whether the run changed too much
known.py   what a plan may ask of the ledger          draft.py   how a plan is put together
```

What happens when a course is deleted: `retire.py`, whose first page says it for every entity.
"""
