"""The worker's runtime over the real registry, codec and classes of the user's process."""

from __future__ import annotations

from typing import Any

from waymark.sdk.actions import registry
from waymark.values import codec
from waymark.values.codec import ClassSource
from waymark.worker.lookup import ActionLookup
from waymark.worker.runner import ActionUnavailable, Runtime


class ValueCodec:
    """`waymark.values.codec` bound to the classes that this process may decode to."""

    def __init__(self, classes: ClassSource | None) -> None:
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
    try:
        from waymark.sdk.classes import LiveClasses, construct
    except ModuleNotFoundError:

        def refuse(module: str, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
            raise ActionUnavailable(f"this release cannot build {module}.{name}")

        return Runtime(lookup.find, refuse, ValueCodec(None))
    return Runtime(lookup.find, construct, ValueCodec(LiveClasses(registry)))
