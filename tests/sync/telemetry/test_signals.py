from sync.telemetry.signals import Signal, TenantPaused, announce_to, nobody


def test_every_listener_hears_every_signal() -> None:
    first, second = list[Signal](), list[Signal]()

    announce_to(first.append, second.append, nobody)(TenantPaused(2.0))

    assert first == second == [TenantPaused(2.0)]


def test_a_listener_that_fails_harms_nobody() -> None:
    heard = list[Signal]()

    def fail(_signal: Signal) -> None:
        raise OSError

    announce_to(fail, heard.append)(TenantPaused(2.0))

    assert heard == [TenantPaused(2.0)]
