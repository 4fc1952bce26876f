"""Where the command line's log goes and how it looks; a library module never does this."""

import logging
import sys
from typing import Final, Literal

import structlog
from structlog.typing import Processor

LogFormat = Literal["auto", "human", "json"]

QUIET: Final = ("aiohttp", "aiosqlite", "alembic", "asyncio", "sqlalchemy")
"""What tells its own story at length; its trouble reaches us as errors."""


class _StandardError(logging.Handler):
    """Writes to standard error as it is at the moment: a progress bar may stand in front of it."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
        except OSError:
            self.handleError(record)


def configure_logging(log_format: LogFormat, level: str) -> None:
    """Send the log to standard error: JSON lines, or text where a person watches."""
    is_json = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = _StandardError()
    handler.setFormatter(_formatter(shared, is_json=is_json))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)


def _formatter(shared: list[Processor], *, is_json: bool) -> logging.Formatter:
    # Tracebacks without locals: a local may be a person's record.
    last: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if is_json
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
