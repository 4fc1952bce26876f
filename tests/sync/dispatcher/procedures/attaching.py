"""Requests and works around the modules of one course."""

from sync.dispatcher.step import Work
from tests.sync.dispatcher.procedures.samples import upsert
from tests.sync.dispatcher.procedures.transcript import (
    answered,
)

COURSE = "/courses/course-CS-uuid"

FREE = f"GET {COURSE}/attach/modules"

ATTACH = f"POST {COURSE}/attach/modules"

DETACH = f"DELETE {COURSE}/detach/modules"

MA1, MA2, MA3 = ({"uuid": f"module-MA{n}-uuid"} for n in (1, 2, 3))

ATTACHED = answered(200, {"data": []})


def attachment(module: str, **more: object) -> Work:
    return upsert("course_module", f"CS:{module}", wanted={"module_id": module}, **more)
