"""Which user classes decoding may instantiate: those that registered functions name, or that stand in their modules.

Nothing is imported, and nothing is looked up by a path that a payload chose: the table is made from what is registered,
and a payload can only point into it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from waymark.compiler.annotations import is_value_class, reachable_classes, signature_classes
from waymark.compiler.source import own_run
from waymark.errors import ValueDecodingError
from waymark.sdk.actions import ActionRegistry, registry
from waymark.sdk.workflow import WorkflowRegistry, workflow_registry
from waymark.values.classes import MODEL_METHODS
from waymark.values.live import LiveSource


class LiveClasses(LiveSource):
    """The value classes of this process that payloads may name, as a source for `waymark.values.codec.decode`.

    Args:
        actions: Registered actions.
        workflows: Registered workflows.
    """

    def __init__(
        self, actions: ActionRegistry, workflows: WorkflowRegistry | None = workflow_registry
    ) -> None:
        super().__init__(self.find)
        self._actions = actions
        self._workflows = workflows
        self._table: dict[tuple[str, str], type] = {}
        self._seen = (-1, -1)

    def find(self, module: str, qualname: str) -> type | None:
        """The class, or None when payloads may not use it."""
        self._refresh()
        return self._table.get((module, qualname))

    def construct(self, module: str, qualname: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Build an instance by calling the class, validation and all.

        Raises:
            ValueDecodingError: No such class is known here.
            Exception: Whatever the class raises.
        """
        cls = self.find(module, qualname)
        if cls is None:
            owner, _, method = qualname.rpartition(".")
            model = self.find(module, owner) if method in MODEL_METHODS else None
            if model is not None and hasattr(model, "__pydantic_fields__"):
                return getattr(model, method)(*args, **kwargs)
            raise ValueDecodingError(
                f"class {module}.{qualname} is not known to this worker; "
                f"it must be in a module with an @action or @workflow, or in the signature of one"
            )
        return cls(*args, **kwargs)

    def _refresh(self) -> None:
        """Modules may be imported later, so the table follows the registries."""
        now = (len(self._actions), len(self._workflows) if self._workflows is not None else 0)
        if now == self._seen:
            return
        self._seen = now
        for cls in self._reachable():
            self._table[cls.__module__, cls.__qualname__] = cls

    def _reachable(self) -> Iterator[type]:
        functions: list[Callable[..., Any]] = [action.function for action in self._actions]
        owners = [action.module for action in self._actions]
        for workflow in self._workflows or ():
            owners.append(workflow.__module__)
            run = own_run(workflow)
            if run is not None:
                functions.append(run)
        for function in functions:
            yield from signature_classes(function)
        yield from reachable_classes(list(_module_classes(owners)))


def construct(module: str, qualname: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """`LiveClasses.construct` over everything that is registered in this process."""
    return LiveClasses(registry).construct(module, qualname, args, kwargs)


def _module_classes(names: Iterable[str]) -> Iterator[type]:
    for name in dict.fromkeys(names):
        module = sys.modules.get(name)
        for value in list(vars(module).values()) if module is not None else ():
            if is_value_class(value) and value.__module__ != "builtins":
                yield value
                yield from _nested(value)


def _nested(cls: type) -> Iterator[type]:
    """Classes written inside a class."""
    for value in vars(cls).values():
        if is_value_class(value) and value.__qualname__.startswith(f"{cls.__qualname__}."):
            yield value
