"""The conversations with DokStamp: every rule of the API contract about what to send, and when.

Each is a generator that yields steps, is sent answers and returns settlements; it does no I/O and
knows no time. The worker performs the steps.

```
what happens to a record          where the rule is
  not bound yet                   create.py   search (find.py), then adopt or make
  bound                           update.py   send what changed
  removed at the source           retire.py   a table: entity to way; delete.py for real deletes
  attachment of a module          attach.py, detach.py
  certificate                     issue.py, revoke.py
  made after an unclear answer    recheck.py  looked at once more, much later
  before the first write of a run preflight.py
  a write was refused             refusal.py
  a record may be gone            read.py
```
"""

from sync.dispatcher.procedures.conversation import converse
from sync.dispatcher.procedures.preflight import Preflight, preflight
from sync.dispatcher.procedures.rules import DeletePolicy, Institutions, IssueStyle, Rules

__all__ = [
    "DeletePolicy",
    "Institutions",
    "IssueStyle",
    "Preflight",
    "Rules",
    "converse",
    "preflight",
]
