"""The keys that make personal data readable, kept apart from what they open.

Each person has one random key, stored wrapped. Destroying a person's key is what erases the
person: no backup of the log can undo it. Where the database keeps copies of what it deletes, the
wrapping key is a random one of the generation file, and an erasure replaces it.
The vault never keeps an unwrapped key on disk and never says whose data a key opens
beyond the lasting pseudonym that the log shows anyway.

```
key file, setting or host ─► MasterKey ─┬─► wrapping ───────────────────┬─► keys of persons
                                        └─► generation file ─► wrapping ┤   and documents
                                                                        └─► secrets: lookup,
                                                                            comparison, signing
```

`Cabinet` finds what is in no database, `LiveWrapping` keeps up with what other processes change,
`Upkeep` erases and rotates, `Vault` is what the rest of the ledger sees.
"""
