"""Where source events come in: files of events and OneRoster packages, checked, then appended.

This package owns reading, checking and refusing. A reader yields items: an event that may be
offered to the ledger, or a refusal with every reason at once. The ingest worker brings items into
the ledger in batches. It never plans, never calls DokStamp, and never stops at a bad line: what is
refused goes to quarantine and the rest goes on.

```
 file or package ─► reader ─► item ─┬─ Checked ─► documents, append ─► taken, duplicate
                                    └─ Refused ─────────────────────► quarantine
```
"""
