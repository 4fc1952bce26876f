"""Judges whether anything was sent again that DokStamp had refused in just these words."""

from collections.abc import Iterator

from tests.simulation.evidence import Claims
from tests.simulation.flight import Flight
from tests.simulation.marks import Identities
from tests.simulation.network import Network
from tests.simulation.order import meant_by

DELETES_MAX = 2
"""How often a DELETE may be sent that is answered with a server error (API 6.4)."""


def repeats(network: Network, claims: Claims, identities: Identities) -> Iterator[str]:
    """Tell which request was sent again, without a new reason, after DokStamp refused it.

    A new reason is an operation of the same record that was planned since. Nobody is to blame
    either who sent it before the log told of the refusal: another host, or the same one after it
    died with the answer.
    """
    refused: dict[tuple[str, str, str], list[Flight]] = {}
    for flight in network.flights:
        if not flight.is_unsafe:
            continue
        earlier = refused.setdefault((flight.method, flight.path, flight.digest), [])
        for first in earlier:
            if not _is_renewed(first, flight, claims, identities):
                yield (
                    f"{flight.method} {flight.path} was refused with {first.heard_status} at "
                    f"{first.sent_at:.1f} and sent again at {flight.sent_at:.1f}"
                )
                break
        if flight.was_answered and _is_refusal(flight, len(earlier)):
            earlier.append(flight)


def _is_refusal(flight: Flight, before: int) -> bool:
    status = flight.heard_status or 0
    if flight.method == "DELETE" and status >= 500:
        return before + 1 >= DELETES_MAX
    return 400 <= status < 500 and status not in {401, 429}


def _is_renewed(first: Flight, second: Flight, claims: Claims, identities: Identities) -> bool:
    if first.known_at > second.sent_at:
        return True
    under = claims.under(second.sent_at, meant_by(second, identities))
    return any(claims.planned[key] >= (first.heard_at or 0.0) for key in under)
