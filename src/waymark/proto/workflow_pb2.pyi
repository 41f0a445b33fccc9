from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IdentifyRequest(_message.Message):
    __slots__ = ("nonce",)
    NONCE_FIELD_NUMBER: _ClassVar[int]
    nonce: bytes
    def __init__(self, nonce: _Optional[bytes] = ...) -> None: ...

class IdentifyReply(_message.Message):
    __slots__ = ("protocol_version", "mode", "database_fingerprint", "proof", "pid", "release", "port")
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    DATABASE_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    protocol_version: int
    mode: str
    database_fingerprint: str
    proof: bytes
    pid: int
    release: str
    port: int
    def __init__(self, protocol_version: _Optional[int] = ..., mode: _Optional[str] = ..., database_fingerprint: _Optional[str] = ..., proof: _Optional[bytes] = ..., pid: _Optional[int] = ..., release: _Optional[str] = ..., port: _Optional[int] = ...) -> None: ...

class RegisterWorkflowRequest(_message.Message):
    __slots__ = ("name", "version", "program", "source")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    program: bytes
    source: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., program: _Optional[bytes] = ..., source: _Optional[str] = ...) -> None: ...

class RegisterWorkflowReply(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: str
    def __init__(self, version: _Optional[str] = ...) -> None: ...

class NewInstance(_message.Message):
    __slots__ = ("instance_id", "input", "priority", "idempotency_key")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    instance_id: bytes
    input: bytes
    priority: int
    idempotency_key: str
    def __init__(self, instance_id: _Optional[bytes] = ..., input: _Optional[bytes] = ..., priority: _Optional[int] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class StartInstancesRequest(_message.Message):
    __slots__ = ("workflow_name", "workflow_version", "instances", "client_id")
    WORKFLOW_NAME_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_VERSION_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    workflow_name: str
    workflow_version: str
    instances: _containers.RepeatedCompositeFieldContainer[NewInstance]
    client_id: bytes
    def __init__(self, workflow_name: _Optional[str] = ..., workflow_version: _Optional[str] = ..., instances: _Optional[_Iterable[_Union[NewInstance, _Mapping]]] = ..., client_id: _Optional[bytes] = ...) -> None: ...

class StartInstancesReply(_message.Message):
    __slots__ = ("instance_ids",)
    INSTANCE_IDS_FIELD_NUMBER: _ClassVar[int]
    instance_ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, instance_ids: _Optional[_Iterable[bytes]] = ...) -> None: ...

class WaitInstancesRequest(_message.Message):
    __slots__ = ("instance_ids",)
    INSTANCE_IDS_FIELD_NUMBER: _ClassVar[int]
    instance_ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, instance_ids: _Optional[_Iterable[bytes]] = ...) -> None: ...

class GetInstancesRequest(_message.Message):
    __slots__ = ("instance_ids",)
    INSTANCE_IDS_FIELD_NUMBER: _ClassVar[int]
    instance_ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, instance_ids: _Optional[_Iterable[bytes]] = ...) -> None: ...

class InstanceInfo(_message.Message):
    __slots__ = ("instance_id", "workflow_name", "workflow_version", "status", "payload", "priority", "created_at_us", "started_at_us", "finished_at_us")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_NAME_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_VERSION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_US_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_US_FIELD_NUMBER: _ClassVar[int]
    FINISHED_AT_US_FIELD_NUMBER: _ClassVar[int]
    instance_id: bytes
    workflow_name: str
    workflow_version: str
    status: str
    payload: bytes
    priority: int
    created_at_us: int
    started_at_us: int
    finished_at_us: int
    def __init__(self, instance_id: _Optional[bytes] = ..., workflow_name: _Optional[str] = ..., workflow_version: _Optional[str] = ..., status: _Optional[str] = ..., payload: _Optional[bytes] = ..., priority: _Optional[int] = ..., created_at_us: _Optional[int] = ..., started_at_us: _Optional[int] = ..., finished_at_us: _Optional[int] = ...) -> None: ...

class InstancesReply(_message.Message):
    __slots__ = ("instances", "unknown_ids")
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_IDS_FIELD_NUMBER: _ClassVar[int]
    instances: _containers.RepeatedCompositeFieldContainer[InstanceInfo]
    unknown_ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, instances: _Optional[_Iterable[_Union[InstanceInfo, _Mapping]]] = ..., unknown_ids: _Optional[_Iterable[bytes]] = ...) -> None: ...
