from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ToShard(_message.Message):
    __slots__ = ("wake", "results", "lease", "stop")
    WAKE_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    wake: ShardWake
    results: ShardResults
    lease: ShardLease
    stop: ShardStop
    def __init__(self, wake: _Optional[_Union[ShardWake, _Mapping]] = ..., results: _Optional[_Union[ShardResults, _Mapping]] = ..., lease: _Optional[_Union[ShardLease, _Mapping]] = ..., stop: _Optional[_Union[ShardStop, _Mapping]] = ...) -> None: ...

class ShardWake(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ShardResult(_message.Message):
    __slots__ = ("token", "body")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    token: int
    body: bytes
    def __init__(self, token: _Optional[int] = ..., body: _Optional[bytes] = ...) -> None: ...

class ShardResults(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[ShardResult]
    def __init__(self, results: _Optional[_Iterable[_Union[ShardResult, _Mapping]]] = ...) -> None: ...

class ShardLease(_message.Message):
    __slots__ = ("usable_until_us",)
    USABLE_UNTIL_US_FIELD_NUMBER: _ClassVar[int]
    usable_until_us: int
    def __init__(self, usable_until_us: _Optional[int] = ...) -> None: ...

class ShardStop(_message.Message):
    __slots__ = ("grace_ms",)
    GRACE_MS_FIELD_NUMBER: _ClassVar[int]
    grace_ms: int
    def __init__(self, grace_ms: _Optional[int] = ...) -> None: ...

class FromShard(_message.Message):
    __slots__ = ("ready", "dispatches", "cancels", "progress", "stopped")
    READY_FIELD_NUMBER: _ClassVar[int]
    DISPATCHES_FIELD_NUMBER: _ClassVar[int]
    CANCELS_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    STOPPED_FIELD_NUMBER: _ClassVar[int]
    ready: ShardReady
    dispatches: ShardDispatches
    cancels: ShardCancels
    progress: ShardProgress
    stopped: ShardStopped
    def __init__(self, ready: _Optional[_Union[ShardReady, _Mapping]] = ..., dispatches: _Optional[_Union[ShardDispatches, _Mapping]] = ..., cancels: _Optional[_Union[ShardCancels, _Mapping]] = ..., progress: _Optional[_Union[ShardProgress, _Mapping]] = ..., stopped: _Optional[_Union[ShardStopped, _Mapping]] = ...) -> None: ...

class ShardReady(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ShardDispatch(_message.Message):
    __slots__ = ("token", "body", "timeout_ms")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    token: int
    body: bytes
    timeout_ms: int
    def __init__(self, token: _Optional[int] = ..., body: _Optional[bytes] = ..., timeout_ms: _Optional[int] = ...) -> None: ...

class ShardDispatches(_message.Message):
    __slots__ = ("dispatches",)
    DISPATCHES_FIELD_NUMBER: _ClassVar[int]
    dispatches: _containers.RepeatedCompositeFieldContainer[ShardDispatch]
    def __init__(self, dispatches: _Optional[_Iterable[_Union[ShardDispatch, _Mapping]]] = ...) -> None: ...

class ShardCancels(_message.Message):
    __slots__ = ("tokens",)
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    tokens: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, tokens: _Optional[_Iterable[int]] = ...) -> None: ...

class ShardProgress(_message.Message):
    __slots__ = ("instances_in_memory", "entries_appended", "entries_rejected", "instances_completed", "actions_completed")
    INSTANCES_IN_MEMORY_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_APPENDED_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_REJECTED_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_COMPLETED_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_COMPLETED_FIELD_NUMBER: _ClassVar[int]
    instances_in_memory: int
    entries_appended: int
    entries_rejected: int
    instances_completed: int
    actions_completed: int
    def __init__(self, instances_in_memory: _Optional[int] = ..., entries_appended: _Optional[int] = ..., entries_rejected: _Optional[int] = ..., instances_completed: _Optional[int] = ..., actions_completed: _Optional[int] = ...) -> None: ...

class ShardStopped(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
