"""Every public exception of Waymark.

WaymarkError
├─ ConfigError                    a setting that cannot be honoured; executables exit 2
├─ UnsupportedPatternError        run() holds something that cannot be made durable
├─ ValueEncodingError             a value outside the domain, or over a limit
├─ ValueDecodingError             bytes that are no encoded value
├─ ProgramError                   a stored program that cannot be loaded
│  └─ UnknownFormat               it was written by a newer release than this one
├─ StoreError
│  ├─ StoreUnavailable            no answer from the database; safe to try again
│  ├─ StoreDataError              the database refused one row; trying again cannot help
│  ├─ VersionConflict             same name and version, another program
│  ├─ IdempotencyConflict         same start key, another input
│  └─ SchemaMismatch              the database schema is not the one this code needs
├─ BridgeError
│  ├─ BridgeUnavailable           the bridge does not answer
│  ├─ BridgeRejected              the bridge answered and refused the request
│  └─ BootError                   no bridge could be found or started
├─ InstanceNotFound               no such instance, or it was removed by retention
├─ WorkflowFailedError            a run ended in failure (also a RuntimeError)
├─ WorkflowLimitExceeded          a run used more fuel or memory than it may; ends the run
├─ WorkflowDeadlock               every task of a run waits for something that can never come; ends the run
├─ ScheduleAlreadyExistsError
└─ ActionError                    what an action call can raise inside run() besides its own error
   ├─ ActionTimeout               an attempt ran longer than its timeout
   ├─ ActionLost                  an at-most-once call whose outcome is unknown
   └─ ExhaustedRetriesError       infrastructure lost the call too many times
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID


class WaymarkError(Exception):
    """Root of every error that Waymark raises on purpose."""


class ConfigError(WaymarkError):
    """A setting that cannot be honoured.

    Attributes:
        variable: Name of the environment variable.
        problem: What is wrong and what is accepted, without secrets.
    """

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(f"config: {variable} {problem}")
        self.variable = variable
        self.problem = problem


class UnsupportedPatternError(WaymarkError):
    """`run()` or a helper holds something that Waymark refuses to compile.

    The message lists every finding with code, place, reason and a way out.

    Attributes:
        diagnostics: The findings, in source order (`waymark.compiler.diagnostics.Diagnostic`).
    """

    def __init__(self, message: str, diagnostics: tuple[Any, ...] = ()) -> None:
        super().__init__(message)
        self.diagnostics = diagnostics


class ValueEncodingError(WaymarkError):
    """A value that is outside the value domain, or over a limit.

    Attributes:
        path: Where in the value the offending part is, as `value['items'][3].price`.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class ValueDecodingError(WaymarkError):
    """Bytes that are not an encoded value of a known format."""


class ProgramError(WaymarkError):
    """A stored program that is damaged or of a format this release does not run."""


class UnknownFormat(ProgramError):
    """A program that a newer release wrote: nothing is wrong with it, it only has to be run elsewhere."""


class StoreError(WaymarkError):
    """Root of what the store can raise."""


class StoreUnavailable(StoreError):
    """The database gave no answer. Whether the statement took effect is unknown; safe to try again."""


class StoreDataError(StoreError):
    """The database refused the data of a statement; trying the same statement again cannot help.

    Attributes:
        accepted: Ids of the batch that were written all the same.
        refused: Ids whose data the database does not take.
    """

    def __init__(
        self, message: str, *, accepted: frozenset[Any] = frozenset(), refused: frozenset[Any] = frozenset()
    ) -> None:
        super().__init__(message)
        self.accepted = accepted
        self.refused = refused


class VersionConflict(StoreError):
    """A workflow version exists with another program."""


class IdempotencyConflict(StoreError):
    """A start with a known key, but another input."""


class SchemaMismatch(StoreError):
    """The database schema is older or newer than this release needs."""


class BridgeError(WaymarkError):
    """Root of what talking to the bridge can raise."""


class BridgeUnavailable(BridgeError):
    """The bridge does not answer; the request can be sent again with the same ids."""


class BridgeRejected(BridgeError):
    """The bridge refused a request; the message says why."""


class BootError(BridgeError):
    """No bridge could be found or started; the message carries its last log lines."""


class InstanceNotFound(WaymarkError):
    """No instance has this id: it never existed, or retention removed it."""


class WorkflowFailedError(WaymarkError, RuntimeError):
    """A run ended in failure. Its cause shows the remote traceback.

    Attributes:
        instance_id: The run.
        error_type: Class name of the exception that ended it.
        error_message: Its message, as `str(exception)`.
        error_attributes: Its attributes, those that are encodable.
    """

    def __init__(
        self,
        instance_id: UUID,
        error_type: str,
        error_message: str,
        error_attributes: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            f"workflow failed: {error_type}: {error_message}"
            if error_message
            else f"workflow failed: {error_type}"
        )
        self.instance_id = instance_id
        self.error_type = error_type
        self.error_message = error_message
        self.error_attributes = dict(error_attributes or {})


class WorkflowLimitExceeded(WaymarkError):
    """A run used more fuel or memory than one run may. It ends the run; `except` cannot catch it."""


class WorkflowDeadlock(WaymarkError):
    """Every task of a run waits for something that can never come. It ends the run; `except` cannot catch it."""


class ScheduleAlreadyExistsError(WaymarkError):
    """A schedule of this name exists and replacing it was not asked for."""


class ActionError(WaymarkError):
    """What an action call can raise inside `run()` besides the action's own exception."""


class ActionTimeout(ActionError):
    """An attempt ran longer than its timeout. Retried only when named in `exception_types`."""


class ActionLost(ActionError):
    """An at-most-once call whose worker or host died: whether it took effect is unknown."""


class ExhaustedRetriesError(ActionError):
    """A call was lost to dying workers or hosts more often than Waymark tries again."""


ExhaustedRetries = ExhaustedRetriesError
