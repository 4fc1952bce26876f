"""The vocabulary: what each academic entity is, to the source and to DokStamp.

This package owns every entity's fields, limits and words, the check of what comes in, the natural
key and lane, what a record refers to, the bodies that create, change and retire it, and the
comparison with what DokStamp shows. It is pure: it never sends, stores, or looks at a clock.

```
values, times, addresses     forms of single values
        fields               one table row for each field, and what is read off a table
      definition             Resource: everything other stages ask about an entity
institution … certificate    one declaration for each entity
        catalog              all of them, the event types, and `check`
```
"""

from sync.resources.catalog import (
    EVENT_TYPES,
    ORDER,
    RESOURCES,
    Checked,
    EventType,
    check,
    check_subject,
    resource,
)
from sync.resources.certificate import REVOCATION_TEXTS
from sync.resources.definition import Agreement, Fault, Kind, Match, Reference, Resource, Value

__all__ = [
    "EVENT_TYPES",
    "ORDER",
    "RESOURCES",
    "REVOCATION_TEXTS",
    "Agreement",
    "Checked",
    "EventType",
    "Fault",
    "Kind",
    "Match",
    "Reference",
    "Resource",
    "Value",
    "check",
    "check_subject",
    "resource",
]
