"""The history of the vault's database."""
