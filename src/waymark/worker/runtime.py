"""The worker's runtime over the real registries, codec and classes of the user's process."""

from __future__ import annotations

from typing import Any

from waymark.sdk.actions import registry
from waymark.sdk.classes import LiveClasses
from waymark.sdk.workflow import workflow_registry
from waymark.values import codec
from waymark.values.live import LiveSource
from waymark.worker.lookup import ActionLookup
from waymark.worker.runner import ActionUnavailable, Runtime


class ValueCodec:
    """`waymark.values.codec` bound to the classes that this process may decode to."""

    def __init__(self, classes: codec.ClassSource | None) -> None:
        self._classes = classes

    def encode(self, value: object, *, root: str) -> bytes:
        return codec.encode(value, root=root)

    def decode(self, data: bytes) -> Any:
        return codec.decode(data, self._classes)

    def encode_exception(self, exception: BaseException) -> bytes:
        return codec.encode_exception(exception)


def user_runtime() -> Runtime:
    """Actions, classes and codec of this process."""
    lookup = ActionLookup(registry)
    classes = LiveClasses(registry, workflow_registry)

    def construct(module: str, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if classes.find(module, name) is None:
            lookup.import_module(module, name)
        if classes.find(module, name) is None:
            raise ActionUnavailable(
                f"module {module} of this worker has no class {name} that workflows may build"
            )
        return classes.construct(module, name, tuple(args), kwargs)

    return Runtime(lookup.find, construct, ValueCodec(LiveSource(classes.find)))
