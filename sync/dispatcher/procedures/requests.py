"""The requests of procedures, and where a record is found."""

from urllib.parse import quote

from ledger.reference import SourceRef, TargetId
from sync.dispatcher.step import Work
from sync.dokstamp.request import Body, Request, path_of
from sync.resources.catalog import resource
from sync.resources.definition import Resource
from sync.resources.fields import Data


def get(path: str) -> Request:
    """Return a request that reads."""
    return Request("GET", path, path)


def post(path: str, body: Body) -> Request:
    """Return a request that makes a record."""
    return Request("POST", path, path, body=body)


def patch(path: str, body: Body) -> Request:
    """Return a request that changes some fields; PUT might clear the others (API 11)."""
    return Request("PATCH", path, path, body=body)


def put(path: str, body: Body) -> Request:
    """Return a request that revokes."""
    return Request("PUT", path, path, body=body)


def delete(path: str, body: Body | None = None) -> Request:
    """Return a request that deletes or detaches."""
    return Request("DELETE", path, path, body=body)


def state(work: Work) -> Data:
    """Return the state that an operation is about: what is wanted, or what a removal removes."""
    return work.wanted if work.wanted is not None else work.sent or work.stated or {}


def collection(work: Work) -> str:
    """Return the path of the list that the operation's record belongs to."""
    # A uuid is whatever DokStamp sent, so none is trusted to be harmless in a path.
    quoted = {ref: TargetId(quote(target, safe="")) for ref, target in work.targets.items()}
    return entity(work).collection(state(work), quoted)


def address(work: Work, target: TargetId) -> str:
    """Return the path of the record that a target names."""
    return collection(work) + path_of(target)


def entity(work: Work) -> Resource:
    """Return the resource of the operation's record."""
    return resource(work.reference.entity)


def target_of(work: Work, link: str) -> TargetId | None:
    """Return the uuid of the record that a field of the operation's state names."""
    for reference in entity(work).references(state(work)):
        if reference.field == link:
            return work.targets.get(reference.ref)
    return None


def named_by(work: Work, link: str) -> SourceRef | None:
    """Return the record that a field of the operation's state names."""
    for reference in entity(work).references(state(work)):
        if reference.field == link:
            return reference.ref
    return None
