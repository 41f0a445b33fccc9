"""User classes that annotations lead to: of signatures, through generics, into the fields of dataclasses and models."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import sys
import typing
from collections.abc import Callable, Iterator
from typing import Any


def is_value_class(candidate: object) -> bool:
    """Whether instances of a class can be values: a dataclass, pydantic model, enum or exception."""
    return inspect.isclass(candidate) and (
        dataclasses.is_dataclass(candidate)
        or hasattr(candidate, "__pydantic_fields__")
        or issubclass(candidate, enum.Enum | BaseException)
    )


def signature_classes(function: Callable[..., Any]) -> Iterator[type]:
    """Every value class that the annotations of a function reach, each once.

    An annotation that cannot be evaluated is passed over, as it names nothing that exists.
    """
    yield from reachable_classes(_annotations(inspect.unwrap(function)))


def reachable_classes(annotations: list[object]) -> Iterator[type]:
    """Every value class that the annotations reach, each once."""
    waiting = list(annotations)
    seen: set[int] = set()
    while waiting:
        annotation = waiting.pop(0)
        if id(annotation) in seen:
            continue
        seen.add(id(annotation))
        waiting.extend(typing.get_args(annotation))
        origin = typing.get_origin(annotation)
        if origin is not None:
            waiting.append(origin)
        if inspect.isclass(annotation) and is_value_class(annotation):
            if annotation.__module__ != "builtins":
                yield annotation
            waiting.extend(_field_annotations(annotation))


def _field_annotations(cls: type) -> list[object]:
    models: Any = getattr(cls, "__pydantic_fields__", None)
    if isinstance(models, dict):
        return [field.annotation for field in models.values()]
    if dataclasses.is_dataclass(cls):
        return _annotations(cls)
    return []


def _annotations(owner: Any) -> list[object]:
    try:
        return list(typing.get_type_hints(owner, include_extras=True).values())
    except Exception:  # user annotations can raise anything when evaluated
        return [value for text in _raw(owner) if (value := _evaluate(text, owner)) is not None]


def _raw(owner: Any) -> list[object]:
    return list(getattr(owner, "__annotations__", {}).values())


def _evaluate(annotation: object, owner: Any) -> object:
    if not isinstance(annotation, str):
        return annotation
    namespace = getattr(owner, "__globals__", None) or vars(sys.modules.get(owner.__module__, typing))
    try:
        value: object = eval(annotation, dict(namespace))
    except Exception:  # user annotations can raise anything when evaluated
        return None
    return value
