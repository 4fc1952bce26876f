"""A whole ledger on the move: copied to another place, backed up, restored.

It reads one snapshot, main database first and vault after it, so that the vault holds every key
that the log counts on. It never changes a log and never writes over a ledger: what stands at the
target is refused, or kept aside under another name. What is not finished says so itself and is
refused by whoever opens it.

```
copy      ledger ─► rows, a page at a time, keys wrapped anew ─► empty place ─► compared ─► whole
backup    ledger ─► two files and a manifest, under a name for now ─► the folder's own name
restore   folder ─► copied and checked beside the place ─► put in its place, the old kept aside
```
"""
