"""The keys that make personal data readable, kept apart from what they open.

Each person has one random key, wrapped by the master key that only the key file holds.
Destroying a person's key is what erases the person: no backup of the log can undo it.
The vault never keeps an unwrapped key on disk and never says whose data a key opens
beyond the lasting pseudonym that the log shows anyway.

```
key file ─► MasterKey ─┬─► wrapping ───► person key ─► seal and open payloads
                       ├─► lookup ─────► names of documents, e-mail look-ups
                       └─► comparison ─► digests that tell duplicates from conflicts
```
"""
