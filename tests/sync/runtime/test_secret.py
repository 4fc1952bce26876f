"""A host keeps the master key itself."""

from pathlib import Path

import pytest

from ledger.errors import MasterKeyError
from sync.runtime.runtime import Runtime
from sync.simulator import Simulator, http_server
from tests.sync.system.practice import settings_for
from tests.sync.system.university import events

[INSTITUTION] = events([("institution.upserted", "U", {"name": "Demo", "country": "Brazil"})])


async def test_a_host_may_hand_over_the_master_key(home: Path) -> None:
    async def master_key() -> bytes:
        return b"k" * 32

    async with http_server.serve(Simulator()) as address:
        settings = settings_for(home, address)
        async with Runtime(settings, master_key=master_key) as runtime:
            first = await runtime.record(INSTITUTION)
        async with Runtime(settings, master_key=master_key) as runtime:
            second = await runtime.record(INSTITUTION)
        with pytest.raises(MasterKeyError):
            async with Runtime(settings, master_key=lambda: b"x" * 32):
                pass

    assert (first.is_taken, second.is_duplicate) == (True, True)
    assert not settings.address.key_file.exists()
