"""Log lines of the executables: one line each, on stderr, with ids but never values or secrets."""

from __future__ import annotations

import logging
import sys
import time

_FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s[%(process)d] %(message)s"


class OneLineFormatter(logging.Formatter):
    """Escapes control characters in messages, so that a name in them cannot forge a line or drive a terminal.

    The traceback of an unexpected error follows on lines of its own.
    """

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(_FORMAT, datefmt="%Y-%m-%dT%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:
        line = super().formatMessage(record)
        if line.isprintable():
            return line
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)


def configure_logging(level: str) -> None:
    """Send the `waymark` loggers to stderr; other loggers stay as the user set them.

    Args:
        level: Name of a level, as `WAYMARK_LOG_LEVEL` accepts it.
    """
    logger = logging.getLogger("waymark")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLineFormatter())
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False
