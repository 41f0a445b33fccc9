"""Values that only the machine has: functions, awaitables, tasks, frames.

Each class lists its state in `__waymark_state__`: plain values or other objects of this kind, so a snapshot is one encoded value and aliasing
between fibers, frames and pending calls survives. Nothing else belongs to the state.
"""

from __future__ import annotations

from typing import Any, ClassVar


class MachineValue:
    """Root of the values that only the machine has; their text holds no address, for the next process has others."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object>"


class BuiltinFunction(MachineValue):
    """A function of the library table, as a value."""

    __slots__ = ("implementation", "name")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("name",)

    def __init__(self, name: str, implementation: Any) -> None:
        self.name = name
        self.implementation = implementation

    def __repr__(self) -> str:
        return f"<built-in function {self.name.rpartition('.')[2]}>"


class FunctionValue(MachineValue):
    """A function of the program that exists once: a method without self, a function of a module."""

    __slots__ = ("index",)
    __waymark_state__: ClassVar[tuple[str, ...]] = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index


class Closure(MachineValue):
    """A function that the run has made: `lambda`, or `def` inside a function."""

    __slots__ = ("cells", "defaults", "index")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("index", "defaults", "cells")

    def __init__(self, index: int, defaults: tuple[Any, ...], cells: tuple[Cell, ...]) -> None:
        self.index = index
        self.defaults = defaults
        self.cells = cells


class BoundFunction(MachineValue):
    """A function of the program with its first argument: `self.helper`."""

    __slots__ = ("index", "receiver")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("index", "receiver")

    def __init__(self, index: int, receiver: Any) -> None:
        self.index = index
        self.receiver = receiver

    def __eq__(self, other: object) -> bool:
        return type(other) is BoundFunction and other.index == self.index and other.receiver is self.receiver

    def __hash__(self) -> int:
        return hash(self.index)


class Cell(MachineValue):
    """A variable that functions inside of each other share."""

    __slots__ = ("content",)
    __waymark_state__: ClassVar[tuple[str, ...]] = ("content",)

    def __init__(self, content: Any) -> None:
        self.content = content


class BoundMethod(MachineValue):
    """A method of a builtin type, taken but not yet called."""

    __slots__ = ("name", "receiver")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("receiver", "name")

    def __init__(self, receiver: Any, name: str) -> None:
        self.receiver = receiver
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BoundMethod) and other.receiver is self.receiver and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<built-in method {self.name}>"


class ActionValue(MachineValue):
    """An action of the program, as a value."""

    __slots__ = ("index",)
    __waymark_state__: ClassVar[tuple[str, ...]] = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index


CALLABLE = (BuiltinFunction, FunctionValue, Closure, BoundFunction, BoundMethod, ActionValue)
"""Types of the machine whose values can be called."""


class SelfObject(MachineValue):
    """The workflow instance inside run()."""

    __slots__ = ("attributes", "class_name")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("class_name", "attributes")

    def __init__(self, class_name: str) -> None:
        self.class_name = class_name
        self.attributes: dict[str, Any] = {}


class ActionCall(MachineValue):
    """An action called and not yet awaited."""

    __slots__ = ("args", "index", "kwargs", "policy", "started", "timeout_us")
    __waymark_state__: ClassVar[tuple[str, ...]] = (
        "index",
        "args",
        "kwargs",
        "policy",
        "timeout_us",
        "started",
    )

    def __init__(self, index: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.index = index
        self.args = args
        self.kwargs = kwargs
        self.policy: Any = None
        self.timeout_us = 0
        self.started = False


class Coroutine(MachineValue):
    """An async helper called and not yet awaited."""

    __slots__ = ("index", "locals", "started")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("index", "locals", "started")

    def __init__(self, index: int, values: list[Any]) -> None:
        self.index = index
        self.locals = values
        self.started = False


class Frame:
    """One function being run. `code` comes from the program and is not part of the state."""

    __slots__ = ("code", "function", "generator", "handled", "locals", "pc", "stack")
    __waymark_state__: ClassVar[tuple[str, ...]] = (
        "function",
        "pc",
        "stack",
        "locals",
        "handled",
        "generator",
    )

    def __init__(self, function: int, values: list[Any], code: tuple[int, ...]) -> None:
        self.generator: Any = None
        """The generator whose frame this is."""
        self.function = function
        self.pc = 0
        self.stack: list[Any] = []
        self.locals = values
        self.handled: BaseException | None = None
        self.code = code


class PendingCall:
    """A call that was asked for and has no result yet."""

    __slots__ = (
        "arguments",
        "attempt",
        "call_id",
        "exclusive",
        "future",
        "is_waiting",
        "kind",
        "losses",
        "module",
        "name",
        "policy",
        "timeout_us",
    )
    __waymark_state__: ClassVar[tuple[str, ...]] = (
        "call_id",
        "kind",
        "module",
        "name",
        "arguments",
        "attempt",
        "losses",
        "policy",
        "timeout_us",
        "future",
        "exclusive",
        "is_waiting",
    )

    def __init__(
        self, call_id: int, kind: int, module: str, name: str, arguments: bytes, future: Any
    ) -> None:
        self.call_id = call_id
        self.kind = kind
        """0 an action, 1 the construction of a user class."""
        self.module = module
        self.name = name
        self.arguments = arguments
        self.attempt = 1
        self.losses = 0
        self.policy: Any = None
        self.timeout_us = 0
        self.future = future
        self.exclusive = False
        """The run stands still until it is answered, because Python would not have switched tasks here."""
        self.is_waiting = False
        """Between two attempts: a timer will start the next one."""

    def told(self, tasks: Any, index: int, future: Any) -> None:
        """The pause between two attempts is over."""
        tasks.machine.flight.try_again(self)


class CallInstead:
    """What a library function gives that ends in another call, which may wait: that call."""

    __slots__ = ("args", "callee", "kwargs")

    def __init__(self, callee: Any, args: list[Any], kwargs: dict[str, Any]) -> None:
        self.callee = callee
        self.args = args
        self.kwargs = kwargs


class Unbound:
    """Content of a local that has no value."""

    __slots__ = ()
    __waymark_state__: ClassVar[tuple[str, ...]] = ()


UNBOUND = Unbound()


# Error messages and type(x).__name__ show what the user's code would see.
_SHOWN_NAMES: tuple[tuple[type, str], ...] = (
    (BuiltinFunction, "builtin_function_or_method"),
    (BoundMethod, "builtin_function_or_method"),
    (FunctionValue, "function"),
    (Closure, "function"),
    (BoundFunction, "method"),
    (ActionValue, "function"),
    (ActionCall, "coroutine"),
    (Coroutine, "coroutine"),
)
for _class, _name in _SHOWN_NAMES:
    _class.__name__ = _name
