from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ActionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTION: _ClassVar[ActionKind]
    CONSTRUCT: _ClassVar[ActionKind]
ACTION: ActionKind
CONSTRUCT: ActionKind

class FromWorker(_message.Message):
    __slots__ = ("hello", "results", "heartbeat", "drained")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    DRAINED_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    results: ResultBatch
    heartbeat: Heartbeat
    drained: Drained
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., results: _Optional[_Union[ResultBatch, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., drained: _Optional[_Union[Drained, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("protocol_version", "worker_id", "secret", "pid", "python", "release")
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    PYTHON_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    protocol_version: int
    worker_id: bytes
    secret: bytes
    pid: int
    python: str
    release: str
    def __init__(self, protocol_version: _Optional[int] = ..., worker_id: _Optional[bytes] = ..., secret: _Optional[bytes] = ..., pid: _Optional[int] = ..., python: _Optional[str] = ..., release: _Optional[str] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("loop_lag_us", "in_flight")
    LOOP_LAG_US_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    loop_lag_us: int
    in_flight: int
    def __init__(self, loop_lag_us: _Optional[int] = ..., in_flight: _Optional[int] = ...) -> None: ...

class Drained(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Result(_message.Message):
    __slots__ = ("token", "body")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    token: int
    body: bytes
    def __init__(self, token: _Optional[int] = ..., body: _Optional[bytes] = ...) -> None: ...

class ResultBatch(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[Result]
    def __init__(self, results: _Optional[_Iterable[_Union[Result, _Mapping]]] = ...) -> None: ...

class ToWorker(_message.Message):
    __slots__ = ("welcome", "dispatches", "cancels", "drain")
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    DISPATCHES_FIELD_NUMBER: _ClassVar[int]
    CANCELS_FIELD_NUMBER: _ClassVar[int]
    DRAIN_FIELD_NUMBER: _ClassVar[int]
    welcome: Welcome
    dispatches: DispatchBatch
    cancels: CancelBatch
    drain: Drain
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., dispatches: _Optional[_Union[DispatchBatch, _Mapping]] = ..., cancels: _Optional[_Union[CancelBatch, _Mapping]] = ..., drain: _Optional[_Union[Drain, _Mapping]] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("protocol_version",)
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    protocol_version: int
    def __init__(self, protocol_version: _Optional[int] = ...) -> None: ...

class Dispatch(_message.Message):
    __slots__ = ("token", "body", "timeout_ms", "usable_until_us")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    USABLE_UNTIL_US_FIELD_NUMBER: _ClassVar[int]
    token: int
    body: bytes
    timeout_ms: int
    usable_until_us: int
    def __init__(self, token: _Optional[int] = ..., body: _Optional[bytes] = ..., timeout_ms: _Optional[int] = ..., usable_until_us: _Optional[int] = ...) -> None: ...

class DispatchBatch(_message.Message):
    __slots__ = ("dispatches",)
    DISPATCHES_FIELD_NUMBER: _ClassVar[int]
    dispatches: _containers.RepeatedCompositeFieldContainer[Dispatch]
    def __init__(self, dispatches: _Optional[_Iterable[_Union[Dispatch, _Mapping]]] = ...) -> None: ...

class Cancel(_message.Message):
    __slots__ = ("token", "reason")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    token: int
    reason: str
    def __init__(self, token: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class CancelBatch(_message.Message):
    __slots__ = ("cancels",)
    CANCELS_FIELD_NUMBER: _ClassVar[int]
    cancels: _containers.RepeatedCompositeFieldContainer[Cancel]
    def __init__(self, cancels: _Optional[_Iterable[_Union[Cancel, _Mapping]]] = ...) -> None: ...

class Drain(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ActionDispatch(_message.Message):
    __slots__ = ("instance_id", "call_id", "attempt", "idempotency_key", "module", "name", "arguments", "timeout_ms", "workflow_name", "kind")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    MODULE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    instance_id: bytes
    call_id: int
    attempt: int
    idempotency_key: str
    module: str
    name: str
    arguments: bytes
    timeout_ms: int
    workflow_name: str
    kind: ActionKind
    def __init__(self, instance_id: _Optional[bytes] = ..., call_id: _Optional[int] = ..., attempt: _Optional[int] = ..., idempotency_key: _Optional[str] = ..., module: _Optional[str] = ..., name: _Optional[str] = ..., arguments: _Optional[bytes] = ..., timeout_ms: _Optional[int] = ..., workflow_name: _Optional[str] = ..., kind: _Optional[_Union[ActionKind, str]] = ...) -> None: ...

class ActionResult(_message.Message):
    __slots__ = ("value", "exception", "unavailable", "lost", "timed_out", "too_large", "cancelled", "duration_us")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    UNAVAILABLE_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    TIMED_OUT_FIELD_NUMBER: _ClassVar[int]
    TOO_LARGE_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    DURATION_US_FIELD_NUMBER: _ClassVar[int]
    value: bytes
    exception: bytes
    unavailable: Unavailable
    lost: Lost
    timed_out: TimedOut
    too_large: TooLarge
    cancelled: Cancelled
    duration_us: int
    def __init__(self, value: _Optional[bytes] = ..., exception: _Optional[bytes] = ..., unavailable: _Optional[_Union[Unavailable, _Mapping]] = ..., lost: _Optional[_Union[Lost, _Mapping]] = ..., timed_out: _Optional[_Union[TimedOut, _Mapping]] = ..., too_large: _Optional[_Union[TooLarge, _Mapping]] = ..., cancelled: _Optional[_Union[Cancelled, _Mapping]] = ..., duration_us: _Optional[int] = ...) -> None: ...

class Unavailable(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class Lost(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class TimedOut(_message.Message):
    __slots__ = ("timeout_ms",)
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    timeout_ms: int
    def __init__(self, timeout_ms: _Optional[int] = ...) -> None: ...

class TooLarge(_message.Message):
    __slots__ = ("size_bytes", "limit_bytes")
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    LIMIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    size_bytes: int
    limit_bytes: int
    def __init__(self, size_bytes: _Optional[int] = ..., limit_bytes: _Optional[int] = ...) -> None: ...

class Cancelled(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
