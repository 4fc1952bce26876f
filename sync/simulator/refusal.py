"""Refusals: how a handler says no, and how each edition words it."""

from sync.simulator.message import JsonObject, SimulatedResponse, json_response

Errors = dict[str, list[str]]

_MESSAGES = {
    400: "Malformed request.",
    401: "Unauthenticated.",
    403: "This action is unauthorized.",
    404: "Resource not found.",
    405: "Method not allowed.",
    409: "Conflict.",
    413: "Payload too large.",
    429: "Too Many Attempts.",
    500: "Server Error",
    503: "Service Unavailable",
}


class RefusedError(Exception):
    """Carries the status and the errors of an answer that refuses a request."""

    def __init__(self, status: int, *, errors: Errors | None = None) -> None:
        self.status = status
        self.errors = errors or {}
        super().__init__(f"refused with {status}")


def invalid(errors: Errors) -> RefusedError:
    """Return the refusal of a request whose fields are wrong."""
    return RefusedError(422, errors=errors)


def refused_response(refusal: RefusedError, *, edition: str) -> SimulatedResponse:
    """Return the answer that words a refusal as the edition does."""
    message = _MESSAGES.get(refusal.status, "The given data was invalid.")
    body: JsonObject = {} if edition == "old" else {"success": False}
    if refusal.errors:
        message = next(iter(refusal.errors.values()))[0]
    body["message"] = message
    if refusal.status == 422:
        body["errors"] = refusal.errors
    return json_response(refusal.status, body)
