"""Find the record that already stands for ours (API 8).

```
whole list, every row checked ─┬─ none ──────────────► nothing: make it
                               ├─ one, free ─────────► adopt it
                               ├─ several, free ─────► held
                               ├─ another record's ──► does not count
                               └─ like it, but not it ► held
```
"""

from collections.abc import Generator, Iterable, Mapping
from dataclasses import replace

from ledger.reference import SourceRef, TargetId
from sync.dispatcher.asking import walk
from sync.dispatcher.decide import held
from sync.dispatcher.procedures.read import read, without_list
from sync.dispatcher.procedures.requests import collection, entity, state
from sync.dispatcher.procedures.rules import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Reply, Settlement, Step, WhoHolds, Work
from sync.dokstamp.envelope import Row, uuid_of
from sync.dokstamp.listing import Listing, Unknown
from sync.resources.definition import Match
from sync.resources.former import Former

Found = Row | Settlement | None
"""The one match; a settlement when there is no clear one; or None: there is none."""


def find(work: Work, *, rules: Rules) -> Generator[Step, Reply, Found]:
    """Return the one free record that agrees with ours on the whole natural key."""
    listing = yield from listed(work, rules=rules)
    return (yield from choose(work, listing, rules=rules))


def find_former(work: Work, *, rules: Rules) -> Generator[Step, Reply, Found]:
    """Return the one free record that stands for a person under an address of before (trap 19).

    The address changed before anything was sent. Who shows today's name and birth date is the
    person. Who shows one of them, or what was told back then, may be: a person decides. Anybody
    else has the address by chance.
    """
    found: dict[str, Row] = {}
    for former in work.formerly:
        judged = yield from _under(former, work, rules)
        if isinstance(judged, Settlement):
            return judged
        found |= {uuid_of(row): row for row, verdict in judged if verdict is Match.SAME}
        if any(verdict.is_conflict for _, verdict in judged):
            return held(work, Reason.FORMER_ADDRESS)
    if len(found) > 1:
        return held(work, Reason.SEVERAL_MATCHES)
    return next(iter(found.values()), None)


def _under(
    former: Former, work: Work, rules: Rules
) -> Generator[Step, Reply, list[tuple[Row, Match]] | Settlement]:
    """Return what each free row with a former key is to the record, other people's left out."""
    probe = replace(work, wanted=former.state)
    listing = yield from listed(probe, rules=rules)
    judged = yield from _judged(probe, listing, rules)
    if isinstance(judged, Settlement):
        return judged
    free = yield from _free(work, [row for row, _ in judged])
    return [
        (row, verdict)
        for row, verdict in judged
        if row in free and (verdict is Match.SAME or _may_be(work, former, row))
    ]


def _may_be(work: Work, former: Former, row: Row) -> bool:
    is_approved = Reason.FORMER_ADDRESS in work.approved
    return not is_approved and entity(work).resembles(former, row, work.targets)


def find_again(work: Work, *, rules: Rules) -> Generator[Step, Reply, Found]:
    """Return the match after DokStamp said that the key is taken (API 8, rule 5).

    The filter may compare more strictly than the key does, so the list is then read without it.
    """
    found = yield from find(work, rules=rules)
    if found is not None or not entity(work).filters(state(work), work.targets):
        return found
    listing = yield from candidates((work,), rules=rules)
    return (yield from choose(work, listing, rules=rules))


def listed(work: Work, *, rules: Rules) -> Generator[Step, Reply, Listing]:
    """Return every row that could stand for the record, searched for by its natural key."""
    filters = entity(work).filters(state(work), work.targets)
    return (yield from candidates((work,), rules=rules, filters=filters))


def candidates(
    works: tuple[Work, ...], *, rules: Rules, filters: tuple[tuple[str, str], ...] = ()
) -> Generator[Step, Reply, Listing]:
    """Return every row of a collection that could stand for one of these records."""
    path = collection(works[0])
    return (
        yield from walk(
            path,
            route=path,
            filters=filters,
            page_size=rules.page_size,
            keep=lambda row: any(_match(work, row) is not Match.OTHER for work in works),
        )
    )


def choose(work: Work, listing: Listing, *, rules: Rules) -> Generator[Step, Reply, Found]:
    """Return the one row of a list that stands for the record and for no other."""
    judged = yield from _judged(work, listing, rules)
    if isinstance(judged, Settlement):
        return judged
    return (yield from _choose(work, judged))


def _judged(
    work: Work, listing: Listing, rules: Rules
) -> Generator[Step, Reply, list[tuple[Row, Match]] | Settlement]:
    if isinstance(listing, Unknown):
        return (yield from unknown(work, listing, rules))
    return (yield from verdicts(work, listing.rows, rules))


def _choose(work: Work, judged: list[tuple[Row, Match]]) -> Generator[Step, Reply, Found]:
    same = [row for row, verdict in judged if verdict is Match.SAME]
    free = yield from _free(work, same)
    if len(free) > 1:
        return held(work, Reason.SEVERAL_MATCHES)
    if free:
        return free[0]
    conflicts = [verdict for _, verdict in judged if verdict.is_conflict]
    if conflicts:
        return held(work, conflicts[0].value)
    if same and entity(work).claimed_key(work.reference.source_id, state(work)):
        # DokStamp lets one record have this key, and it stands for another source record.
        return held(work, Reason.HELD_BY_ANOTHER)
    return None


def holders(targets: Iterable[str]) -> Generator[Step, Reply, dict[str, SourceRef]]:
    """Return which of these uuids, in lower case, already stand for which source record."""
    reply = yield WhoHolds(tuple(TargetId(target) for target in targets))
    if not isinstance(reply, Mapping):
        message = "a WhoHolds must be replied to with a mapping; correct the worker"
        raise TypeError(message)
    return {target.casefold(): reference for target, reference in reply.items()}


def _free(work: Work, rows: list[Row]) -> Generator[Step, Reply, list[Row]]:
    if not rows:
        return []
    held_by = yield from holders(uuid_of(row) for row in rows)
    return [
        row
        for row in rows
        if held_by.get(uuid_of(row).casefold(), work.reference) == work.reference
    ]


def verdicts(
    work: Work, rows: tuple[Row, ...], rules: Rules
) -> Generator[Step, Reply, list[tuple[Row, Match]] | Settlement]:
    """Return what each row is to the record."""
    judged: list[tuple[Row, Match]] = []
    for shown in rows:
        row = yield from _whole(work, shown, rules)
        if isinstance(row, Settlement):
            return row
        if row is not None:
            judged.append((row, _match(work, row)))
    return judged


def _whole(work: Work, row: Row, rules: Rules) -> Generator[Step, Reply, Found]:
    """Return the row, read alone where the list leaves out what tells whose it is."""
    resource = entity(work)
    if not _match(work, row).is_conflict or not resource.leaves_out(state(work), row):
        return row
    return (yield from read(work, TargetId(uuid_of(row)), rules=rules))


def _match(work: Work, row: Row) -> Match:
    return entity(work).match(state(work), row, work.targets)


def unknown(work: Work, listing: Unknown, rules: Rules) -> Generator[Step, Reply, Settlement]:
    """Return why nothing is known: the list of a course's groups goes missing with the course."""
    settled = yield from without_list(work, listing, rules=rules)
    return settled or held(work, Reason.REFERENCE_MISSING, fields=("course_uuid",))
