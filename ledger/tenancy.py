"""The tenant and address that a ledger belongs to for ever, once the first one has answered."""

from sqlalchemy import Connection, select

from ledger.errors import LedgerBelongsElsewhereError
from ledger.log import store as log_store
from ledger.schema.tables import ledgers


def claim_home(connection: Connection, ledger: int, *, base_url: str, tenant: str) -> None:
    """Tie a ledger to its first tenant and address; refuses any other."""
    # Two hosts might tie it to two tenants at once.
    log_store.lock_head(connection, ledger)
    if not require_home(connection, ledger, base_url=base_url, tenant=tenant):
        mine = ledgers.c.ledger == ledger
        connection.execute(ledgers.update().where(mine).values(base_url=base_url, tenant=tenant))


def require_home(connection: Connection, ledger: int, *, base_url: str, tenant: str) -> bool:
    """Refuse any tenant and address but the ledger's; returns whether it has any yet."""
    mine = ledgers.c.ledger == ledger
    row = connection.execute(select(ledgers.c.base_url, ledgers.c.tenant).where(mine)).one()
    if row.tenant is not None and (row.base_url, row.tenant) != (base_url, tenant):
        message = (
            f"this ledger belongs to tenant {row.tenant} at {row.base_url}: "
            "set TENANT and BASE_URL back, or use another LEDGER_DATABASE"
        )
        raise LedgerBelongsElsewhereError(message)
    return row.tenant is not None
