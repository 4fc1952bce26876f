"""The erasure of a person, from a person's decision until no file holds anything of them.

What is decided together is written together (`steps`); what lies between is done again by whoever
comes next (`worker`, `unfinished_worker`). A hold keeps a person, and a deliberate act lets one in
again under the next name (`holding_worker`). How persons stand is kept in `ledger.subjects`.
"""
