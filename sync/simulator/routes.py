"""The route list: every method and path of the service, and what answers it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sync.simulator import attachments, certificates, crud, files, modules, portfolio
from sync.simulator.call import Call
from sync.simulator.courses import COHORT, COURSE
from sync.simulator.entity import Entity
from sync.simulator.institutions import INSTITUTION, ORGANIZATION, show_badge_issuer
from sync.simulator.listing import list_table
from sync.simulator.message import SimulatedResponse
from sync.simulator.refusal import RefusedError
from sync.simulator.students import ENROLLMENT, STUDENT
from sync.simulator.templates import TEMPLATE

Handler = Callable[[Call], SimulatedResponse]

# The resources with the standard calls, by their path.
STANDARD = {
    "institutions": INSTITUTION,
    "organizations": ORGANIZATION,
    "courses": COURSE,
    "modules": modules.MODULE,
    "cohorts": COHORT,
    "students": STUDENT,
    "enrollments": ENROLLMENT,
    "certificate-templates": TEMPLATE,
}
ENTITIES = (
    *STANDARD.values(),
    modules.MODULE_GROUP,
    attachments.ATTACHMENT,
    files.FILE,
    certificates.CERTIFICATE,
    portfolio.PAGE,
    portfolio.ITEM,
)


@dataclass(frozen=True, slots=True)
class Route:
    """One method on one path pattern."""

    method: str
    pattern: tuple[str, ...]
    handler: Handler
    is_public: bool = False

    def match(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        """Return the values of the pattern's names, or none when the path differs."""
        found: dict[str, str] = {}
        for wanted, given in zip(self.pattern, segments, strict=True):
            if wanted.startswith("{") and given:
                found[wanted[1:-1]] = given
            elif wanted != given:
                return None
        return found


def _list(call: Call, *, entity: Entity) -> SimulatedResponse:
    return list_table(call, entity)


def _create(call: Call, *, entity: Entity) -> SimulatedResponse:
    return crud.create(call, entity)


def _show(call: Call, *, entity: Entity) -> SimulatedResponse:
    return crud.show(call, entity)


def _update(call: Call, *, entity: Entity) -> SimulatedResponse:
    return crud.update(call, entity, call.named(entity.table))


def _destroy(call: Call, *, entity: Entity) -> SimulatedResponse:
    return crud.destroy(call, entity, call.named(entity.table))


def _batch_destroy(call: Call, *, entity: Entity) -> SimulatedResponse:
    return crud.batch_destroy(call, entity)


def _segments(path: str) -> tuple[str, ...]:
    return tuple(path.removeprefix("/").split("/"))


def _standard(path: str, entity: Entity) -> list[Route]:
    calls = (
        ("GET", path, _list),
        ("POST", path, _create),
        ("DELETE", f"{path}/batch/destroy", _batch_destroy),
        ("GET", f"{path}/{{uuid}}", _show),
        ("PATCH", f"{path}/{{uuid}}", _update),
        ("PUT", f"{path}/{{uuid}}", _update),
        ("DELETE", f"{path}/{{uuid}}", _destroy),
    )
    return [
        Route(method, _segments(pattern), partial(handler, entity=entity))
        for method, pattern, handler in calls
    ]


_GROUPS = "courses/{uuid}/modules/groups"
_PAGES = "students/{uuid}/pages"
_CERTIFICATE = certificates.CERTIFICATE
_SPECIAL: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "courses/{uuid}/attach/modules", attachments.list_attachable),
    ("POST", "courses/{uuid}/attach/modules", attachments.attach),
    ("DELETE", "courses/{uuid}/detach/modules", attachments.detach),
    ("GET", _GROUPS, modules.list_groups),
    ("POST", _GROUPS, modules.create_group),
    ("GET", f"{_GROUPS}/{{group_uuid}}", modules.show_group),
    ("PATCH", f"{_GROUPS}/{{group_uuid}}", modules.update_group),
    ("PUT", f"{_GROUPS}/{{group_uuid}}", modules.update_group),
    ("DELETE", f"{_GROUPS}/{{group_uuid}}", modules.destroy_group),
    ("POST", "files", files.upload),
    ("GET", "files", partial(_list, entity=files.FILE)),
    ("GET", "files/{uuid}", partial(_show, entity=files.FILE)),
    ("PATCH", "files/{uuid}", files.update_file),
    ("DELETE", "files/{uuid}", files.destroy_file),
    ("GET", "certificates", partial(_list, entity=_CERTIFICATE)),
    ("POST", "certificates", certificates.create_certificate),
    ("GET", "certificates/{uuid}", partial(_show, entity=_CERTIFICATE)),
    ("PUT", "certificates/{uuid}/revoke", certificates.revoke),
    ("DELETE", "certificates/batch/destroy", partial(_batch_destroy, entity=_CERTIFICATE)),
    ("GET", _PAGES, portfolio.list_pages),
    ("POST", _PAGES, portfolio.create_page),
    ("PATCH", f"{_PAGES}/{{page_uuid}}", portfolio.update_page),
    ("GET", f"{_PAGES}/{{page_uuid}}/items", portfolio.list_items),
    ("POST", f"{_PAGES}/{{page_uuid}}/items", portfolio.create_item),
    ("PATCH", f"{_PAGES}/{{page_uuid}}/items/{{item_uuid}}", portfolio.update_item),
)
_PUBLIC: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "files/{uuid}/download", files.download),
    ("GET", "institutions/{uuid}/badges/issuers", show_badge_issuer),
)

ROUTES: tuple[Route, ...] = (
    *(route for path, entity in STANDARD.items() for route in _standard(path, entity)),
    *(Route(method, _segments(path), handler) for method, path, handler in _SPECIAL),
    *(Route(method, _segments(path), handler, is_public=True) for method, path, handler in _PUBLIC),
)


def _by_shape() -> dict[tuple[int, str], list[Route]]:
    shapes: dict[tuple[int, str], list[Route]] = {}
    for route in ROUTES:
        shapes.setdefault((len(route.pattern), route.pattern[0]), []).append(route)
    return shapes


_SHAPES = _by_shape()


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """Return the route of a request and what its path names, or refuse."""
    segments = _segments(path)
    has_path = False
    for route in _SHAPES.get((len(segments), segments[0]), ()):
        parameters = route.match(segments)
        if parameters is None:
            continue
        has_path = True
        if route.method == method:
            return route, parameters
    raise RefusedError(405 if has_path else 404)
