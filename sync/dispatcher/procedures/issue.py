"""Issue a certificate: once for ever, since it notifies a person and cannot be taken back.

```
check ─► list of student and course ─► upload ─► file on record ─► POST ─► issued, with its URL
              │ ours: adopt               │ used: adopt              │ draft: look again later,
              └ another live one: held    └ or held                  │ never a second POST
                                                                     └ no answer: uncertain
after an uncertain POST:  file ─┬─ used ────► its certificate is in the list: adopt it
                                └─ not used ► list, then POST again with the same file
used or refused, but in no list:  in doubt, looked at once more after the settle window, then held
```

The file serves one certificate only (API 11.10), so it is the witness of whether a POST took
effect, and the lock that refuses a second one. Certificates are never changed or deleted here.
"""

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Final

from ledger.reference import Json
from sync.dispatcher.asking import ask_record
from sync.dispatcher.decide import dead, held, in_doubt, look_later, put_off, without_doubt
from sync.dispatcher.procedures.issued import adopt_issued, judge_issued, look_again
from sync.dispatcher.procedures.issuing_file import File, read_file, upload
from sync.dispatcher.procedures.live_certificates import Live, find_live
from sync.dispatcher.procedures.refusal import missing_reference
from sync.dispatcher.procedures.requests import collection, entity, post, state
from sync.dispatcher.procedures.rules import IssueStyle, Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome, Progress, Reply, Settlement, Step, Work
from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.envelope import record, refused_fields
from sync.dokstamp.request import BodyValue

FILE_FACT: Final = "file"
"""The uuid of the uploaded file: private, since it opens a public download."""
ISSUED_AT_FACT: Final = "issued_at"
UNLISTED_FACT: Final = "unlisted"
"""Why a certificate with our file must be there, although no list showed one."""

_STYLE_FIELDS: Final = frozenset({"finish", "status", "issued_at"})


def issue(work: Work, *, rules: Rules) -> Generator[Step, Reply, Settlement]:
    """Settle a request for a certificate."""
    if work.target is not None:
        return (yield from look_again(work, work.target, rules=rules))
    refused = _check(work, rules)
    if refused is not None:
        return refused
    if FILE_FACT in work.progress:
        settlement = yield from _resume(work, str(work.progress[FILE_FACT]), rules)
        if settlement.outcome is Outcome.HELD and work.progress.get(UNLISTED_FACT):
            # Forgotten, so that a person's `outbox retry` looks anew.
            yield Progress(work.operation, facts={UNLISTED_FACT: None})
        return settlement
    # Without a file on record no certificate was asked for; an upload may be repeated.
    return (yield from _begin(without_doubt(work), rules))


def _check(work: Work, rules: Rules) -> Settlement | None:
    """Return what is wrong before any call; what nobody checks later (API 11.11)."""
    if not rules.issue_certificates:
        return held(work, Reason.ISSUING_IS_OFF)
    if rules.is_suspended:
        return held(work, Reason.INSTITUTION_SUSPENDED)
    faults = entity(work).inconsistencies(state(work), work.names)
    if faults and not work.possibly_sent:
        return dead(work, Reason.INCONSISTENT, fields=tuple(fault.field for fault in faults))
    return None


def _begin(work: Work, rules: Rules) -> Generator[Step, Reply, Settlement]:
    live = yield from find_live(work, rules=rules)
    if isinstance(live, Settlement):
        return live
    file = yield from upload(work, rules=rules)
    if isinstance(file, Settlement):
        return file
    return (yield from _post_if_clear(work, file, live, rules))


def _resume(work: Work, uuid: str, rules: Rules) -> Generator[Step, Reply, Settlement]:
    """Settle a request whose file is on record, by what became of the file."""
    file: File | Settlement | None = File(uuid)
    if work.possibly_sent or work.progress.get(UNLISTED_FACT):
        file = yield from read_file(work, uuid)
    if isinstance(file, Settlement):
        return file
    live = yield from find_live(work, rules=rules)
    if isinstance(live, Settlement):
        return live
    if file is None and work.progress.get(UNLISTED_FACT):
        # Refused, and not shown either: nothing tells that no certificate was made with it.
        return (yield from _post_if_clear(in_doubt(work), File(uuid), live, rules))
    # A file that cannot be read leaves the list as the witness.
    known = file or File(uuid)
    settled = in_doubt(work) if known.is_used else without_doubt(work)
    return (yield from _post_if_clear(settled, known, live, rules))


def _post_if_clear(
    work: Work, file: File, live: Live, rules: Rules
) -> Generator[Step, Reply, Settlement]:
    """Ask for the certificate unless it, or another for the same, is there already."""
    ours = live.made_with(file.uuid)
    if ours is not None:
        # One file serves one certificate: seeing it tells what became of every request.
        return (yield from adopt_issued(without_doubt(work), ours, rules=rules))
    if file.is_used and FILE_FACT not in work.progress:
        # Used before a certificate was ever asked for with it: by somebody else.
        return held(work, Reason.FILE_USED)
    if file.is_used or work.progress.get(UNLISTED_FACT):
        reason = Reason.FILE_USED if file.is_used else Reason.FILE_REFUSED
        return (yield from _unlisted(work, reason, rules))
    if live.blocking:
        return held(work, Reason.ANOTHER_CERTIFICATE)
    facts: dict[str, Json] = {FILE_FACT: file.uuid, ISSUED_AT_FACT: _issued_at(work)}
    if not facts.items() <= work.progress.items():
        yield Progress(work.operation, facts=facts)
        work = replace(work, progress={**work.progress, **facts})
    return (yield from _post(work, file, rules))


def _post(work: Work, file: File, rules: Rules) -> Generator[Step, Reply, Settlement]:
    body = _body(work, file, rules.issue_style)
    answer = yield from ask_record(post(collection(work), body), (work.operation,))
    match answer.meaning:
        case Meaning.DONE:
            return (yield from judge_issued(work, record(answer) or {}, rules=rules))
        case Meaning.INVALID:
            return (yield from _refused(work, answer, file, rules))
        case _:
            return put_off(work, answer)


def _body(work: Work, file: File, style: IssueStyle) -> Mapping[str, BodyValue]:
    body: dict[str, BodyValue] = dict(entity(work).body(state(work), work.targets))
    body.pop("issued_at", None)
    body["file_uuid"] = file.uuid
    if style is not IssueStyle.STATUS:
        body["finish"] = True
    if style is not IssueStyle.FINISH:
        body |= {"status": "issued", "issued_at": str(work.progress[ISSUED_AT_FACT])}
    return body


def _issued_at(work: Work) -> str:
    """Return the official date: the event's, or the day of the first try, kept for later ones."""
    known = state(work).get("issued_at") or work.progress.get(ISSUED_AT_FACT)
    if known is not None:
        return str(known)
    if work.today is None:
        message = "an issue without a date needs today's; hand it to the procedure"
        raise ValueError(message)
    return f"{work.today.isoformat()}T00:00:00Z"


def _refused(
    work: Work, answer: Answer, file: File, rules: Rules
) -> Generator[Step, Reply, Settlement]:
    """Return what a refused certificate means, by a fresh read and then by the fields."""
    fields = refused_fields(answer)
    if "file_uuid" in fields or not fields:
        # Taken, perhaps, by an earlier request of this very certificate.
        work = in_doubt(work)
    if _STYLE_FIELDS.intersection(fields):
        return held(work, Reason.ISSUE_STYLE_REFUSED, fields=fields)
    missing = yield from missing_reference(work, fields, rules=rules)
    if missing is not None:
        return missing
    live = yield from find_live(work, rules=rules)
    if isinstance(live, Settlement):
        return live
    ours = live.made_with(file.uuid)
    if ours is not None:
        return (yield from adopt_issued(without_doubt(work), ours, rules=rules))
    return (yield from _unexplained(work, fields, live, rules))


def _unexplained(
    work: Work, fields: tuple[str, ...], live: Live, rules: Rules
) -> Generator[Step, Reply, Settlement]:
    if live.blocking:
        return held(work, Reason.ANOTHER_CERTIFICATE)
    if work.possibly_sent:
        return (yield from _unlisted(work, Reason.FILE_REFUSED, rules))
    return dead(work, Reason.REFUSED, fields=fields)


def _unlisted(work: Work, reason: Reason, rules: Rules) -> Generator[Step, Reply, Settlement]:
    """Settle what the file speaks for and no list shows: the list may lag, but only once."""
    if work.progress.get(UNLISTED_FACT):
        return held(work, reason)
    yield Progress(work.operation, facts={UNLISTED_FACT: reason.value})
    # Never as if nothing had been sent: a newcomer would take its place.
    return look_later(in_doubt(work), rules.settle_seconds)
