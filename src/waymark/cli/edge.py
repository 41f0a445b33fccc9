"""The edge of every executable: what stops it is one line on stderr and exit code 2."""

from __future__ import annotations

import logging
import os
import sys
import textwrap
from collections.abc import Callable
from typing import NoReturn

from waymark.config import TABLE, Program, load_log_level, unknown_variables
from waymark.errors import BootError, ConfigError, SchemaMismatch, StoreUnavailable
from waymark.telemetry.logs import configure_logging

EXIT_CANNOT_START = 2
"""What was asked for cannot be done; trying again changes nothing until somebody changes something."""

log = logging.getLogger("waymark.cli")


class CannotStart(Exception):
    """A program cannot start.

    Attributes:
        line: What to do about it, in one line.
        details: More to read above the line, such as a traceback of user code.
    """

    def __init__(self, line: str, details: str = "") -> None:
        super().__init__(line)
        self.line = line
        self.details = details


def run_program(name: str, body: Callable[[], int], *, is_child: bool = False) -> NoReturn:
    """Run a program to its end and exit with its code.

    Args:
        name: Of the executable, for lines that do not name a variable.
        body: The program; what it raises on purpose becomes one line and exit code 2.
        is_child: Started by another program of ours, which has warned of unknown variables already.
    """
    try:
        configure_logging(load_log_level(os.environ))
        for warning in () if is_child else unknown_variables(os.environ):
            log.warning("%s", warning)
        sys.exit(body())
    except CannotStart as error:
        if error.details:
            print(error.details.rstrip(), file=sys.stderr)
        line = error.line
    except ConfigError as error:
        line = str(error)
    except StoreUnavailable as error:
        line = str(ConfigError("WAYMARK_DATABASE_URL", f"names a database that does not answer: {error}"))
    except (SchemaMismatch, BootError) as error:
        line = f"{name}: {error}"
    print(" ".join(line.split()), file=sys.stderr)
    sys.exit(EXIT_CANNOT_START)


def variables_help(program: Program) -> str:
    """The variables of a program for `--help`, as lines of name, default and meaning."""
    lines = ["\b", "Environment:"]
    for variable in TABLE:
        if program in variable.programs:
            lines.append(f"  {variable.name} [{variable.default_shown}]")
            lines.append(
                textwrap.fill(variable.meaning, 78, initial_indent=" " * 6, subsequent_indent=" " * 6)
            )
    return "\n".join(lines)
