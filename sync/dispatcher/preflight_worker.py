"""Performs the one read before the first write of a run."""

from ledger.reference import TargetId
from sync.dispatcher.conversation_worker import Sender
from sync.dispatcher.pace_worker import Pace
from sync.dispatcher.procedures import Preflight, preflight
from sync.dispatcher.step import Call, Reply
from sync.dokstamp.answer import Answer
from sync.errors import ConfigurationError


async def fly_ahead(
    sender: Sender, pace: Pace, *, institution: TargetId | None
) -> Preflight | None:
    """Return what was seen, or `None` while DokStamp does not answer.

    Raises `ConfigurationError` when it answers, but not as our tenant.
    """
    conversation = preflight(institution)
    reply: Reply = None
    try:
        step = next(conversation)
        while isinstance(step, Call):
            reply = await _ask(sender, pace, step)
            if reply is None:
                return None
            step = conversation.send(reply)
    except StopIteration as stop:
        return _judged(stop.value)
    return None


async def _ask(sender: Sender, pace: Pace, step: Call) -> Answer | None:
    if await pace.admit() is not None:
        return None
    answer: Answer | None = None
    try:
        answer, _ = await sender.send(step.request)
    finally:
        if answer is None:
            pace.abandon()
    pace.note(answer)
    return answer


def _judged(seen: Preflight) -> Preflight | None:
    if seen.is_ready:
        return seen
    if seen.reason == "unauthorised":
        message = (
            "DokStamp does not show this tenant's institutions: "
            "check TENANT, BASE_URL and the credentials' rights; nothing was written"
        )
        raise ConfigurationError(message)
    return None
