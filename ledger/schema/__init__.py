"""Every table on one page, and the migrations that make them.

`tables` is what the code works with, `vault_tables` the same for the vault's own database, and
`migrations` how a database comes to look like that. Nothing here reads or writes a row.
"""
