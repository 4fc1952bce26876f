"""The history of the ledger's own database."""
