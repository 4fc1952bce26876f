"""What a resource is: one entity's fields, keys, dependencies, payload and retirement, as data."""

from enum import StrEnum


class Kind(StrEnum):
    """What an operation wants to happen to its record."""

    UPSERT = "upsert"
    RETIRE = "retire"
    ISSUE = "issue"
    REVOKE = "revoke"
