"""The append-only sequence of events, its canonical bytes and its Merkle tree.

It never changes or removes what was written, and it knows nothing of what events mean.
"""
