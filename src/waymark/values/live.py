"""Classes of the user's own process: what decoding may instantiate there, and how without running class code."""

from __future__ import annotations

import builtins
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import is_dataclass
from typing import Any

from waymark.values.classes import ClassKey, ClassKind, Traits
from waymark.values.enums import member_of
from waymark.values.known import KNOWN_CLASSES
from waymark.values.synthetic import PydanticRecord, SyntheticClasses, build_exception


class LiveSource:
    """A `ClassSource` over the classes that `find` knows; any other becomes a stand-in of the same name and fields.

    Args:
        find: Gives the class for (module, qualname), or None when payloads must not use it. Must not import.
    """

    set_type: Callable[[Iterable[Any]], Any] = set
    frozenset_type: Callable[[Iterable[Any]], Any] = frozenset
    deque_type: Callable[..., Any] = deque

    def __init__(self, find: Callable[[str, str], type | None]) -> None:
        self._find = find
        self._stand_ins = SyntheticClasses((), refuses_special=False)

    def _known(self, key: ClassKey) -> Any:
        return KNOWN_CLASSES.get(key) or self._find(key.module, key.qualname)

    def new_record(
        self, kind: ClassKind, key: ClassKey, names: tuple[str, ...], traits: Traits | None = None
    ) -> Any:
        cls = self._known(key)
        if cls is None or not (is_dataclass(cls) or hasattr(cls, "__pydantic_fields__")):
            return self._stand_ins.new_record(kind, key, names, traits)
        return cls.__new__(cls)

    def fill_record(self, record: Any, values: dict[str, Any], set_names: tuple[str, ...] | None) -> None:
        cls = type(record)
        if hasattr(cls, "__pydantic_fields__") and not isinstance(record, PydanticRecord):
            declared = {name: value for name, value in values.items() if name in cls.__pydantic_fields__}
            extra = {name: value for name, value in values.items() if name not in cls.__pydantic_fields__}
            allows_extra = cls.model_config.get("extra") == "allow"
            object.__setattr__(record, "__dict__", declared)
            object.__setattr__(
                record, "__pydantic_fields_set__", set(values if set_names is None else set_names)
            )
            object.__setattr__(record, "__pydantic_extra__", extra if allows_extra else None)
            object.__setattr__(record, "__pydantic_private__", None)
        elif isinstance(record, PydanticRecord) or not hasattr(cls, "__slots__"):
            self._stand_ins.fill_record(record, values, set_names)
        else:
            for name, value in values.items():
                object.__setattr__(record, name, value)

    def enum_member(
        self, enum_type: str, key: ClassKey, name: str | None, value: Any, special: tuple[str, ...] = ()
    ) -> Any:
        cls = self._known(key)
        found = member_of(cls, name, value) if cls is not None else None
        if found is not None:
            return found
        return self._stand_ins.enum_member(enum_type, key, name, value)

    def new_exception(
        self, mro: tuple[ClassKey, ...], args: tuple[Any, ...], attributes: dict[str, Any]
    ) -> BaseException:
        key = mro[0] if mro else ClassKey("builtins", "Exception")
        cls: Any = getattr(builtins, key.qualname, None) if key.module == "builtins" else self._known(key)
        if isinstance(cls, type) and issubclass(cls, BaseException):
            try:
                return build_exception(cls, args, attributes)
            except TypeError:
                pass  # nobody but its own code can make one, as pydantic's ValidationError
        return self._stand_ins.new_exception(mro, args, attributes)
