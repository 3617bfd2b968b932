"""Logging of the agent: structlog, one event a line, JSON for machines or a console for people, to stderr.

Events are short names in the protocol's words (`task-committed`), everything else is a field. Ids are hex text.
"""

import logging
import sys
from enum import StrEnum
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

from agent.telemetry.redaction import redact_event


class LogFormat(StrEnum):
    """How lines look."""

    JSON = "json"
    CONSOLE = "console"


def configure_logs(
    log_format: LogFormat = LogFormat.JSON, level: str = "info", stream: TextIO | None = None, **always: Any
) -> None:
    """Set up logging for this process; `always` are fields of every event, such as the node.

    Raises:
        ValueError: no such level.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"log level {level!r}: use debug, info, warning, error or critical")
    out = stream or sys.stderr
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**always)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact_event,
            # tracebacks without local variables: those are where plaintext would be
            structlog.processors.format_exc_info,
            *_renderers(log_format, colors=out.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    _adopt_foreign_logs(number, out, log_format)


def _renderers(log_format: LogFormat, *, colors: bool) -> list[Processor]:
    if log_format is LogFormat.JSON:
        return [structlog.processors.JSONRenderer(sort_keys=True)]
    return [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)]


def _adopt_foreign_logs(level: int, out: TextIO, log_format: LogFormat) -> None:
    """Send the standard library's logs, which our dependencies use, the same way; below warning they are left out.

    Their text may quote what they were given (httpx logs URLs), so they never go below warning.
    """
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                redact_event,
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                *_renderers(log_format, colors=out.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, logging.WARNING))
