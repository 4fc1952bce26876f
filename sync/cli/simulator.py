"""`simulator`: a practice DokStamp on this machine, for trying things out."""

import click

from sync.cli import interrupt
from sync.cli.output import Output, with_output
from sync.errors import InputError
from sync.simulator import Address, Fault, Simulator, parse_faults, parse_switches, serve_forever


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 takes a free one.")
@click.option("--switch", "switches", multiple=True, metavar="NAME=VALUE")
@click.option("--fault", "faults", multiple=True, metavar="KIND:NAME=VALUE,...")
@click.option("--seed", type=int, default=0, show_default=True)
@with_output()
def simulator(
    *,
    host: str,
    port: int,
    switches: tuple[str, ...],
    faults: tuple[str, ...],
    seed: int,
    output: Output,
) -> None:
    """Serve a practice DokStamp that keeps everything in memory, until Ctrl-C."""
    practice = Simulator(switches=parse_switches(switches), seed=seed, faults=_faults(faults))
    try:
        interrupt.run(
            serve_forever(
                practice, host=host, port=port, on_ready=lambda address: _tell(output, address)
            )
        )
    except OSError as error:
        message = f"cannot listen on {host}:{port} ({error.strerror}): choose another --port"
        raise InputError(message) from error


def _faults(texts: tuple[str, ...]) -> tuple[Fault, ...]:
    return tuple(fault for text in texts for fault in parse_faults(text))


def _tell(output: Output, address: Address) -> None:
    tenant = address.tenant
    settings = {
        "base_url": address.url,
        "tenant": tenant.domain,
        "client_id": tenant.client_id,
        "client_secret": tenant.client_secret,
    }
    lines = [f"export DOKSTAMP_{name.upper()}={value}" for name, value in settings.items()]
    # Whoever reads this through a pipe waits for it.
    output.one(settings, "\n".join(["# practice credentials, of no use anywhere else", *lines]))
    output.flush()
