"""Documents, sealed in chunks and named by what they contain.

A document is durable here before the event that names it is appended. Its name is a keyed
digest of its content, so that the same bytes are kept once and nobody without the master key
can ask whether a given document is here. Each document is sealed under a key of its own, so
that the person it belongs to may become known after its bytes did.
"""
