"""Calling a value: functions of the program and of the library, methods, classes, actions."""

from __future__ import annotations

import enum
from typing import Any

from waymark.errors import UnsupportedPatternError
from waymark.model.policy import RetryPolicy, timeout_us
from waymark.program.program import HELD, Function
from waymark.values.codec import encode, key_of
from waymark.values.collections import KINDS
from waymark.values.sets import OrderedFrozenSet, OrderedSet
from waymark.values.special import refuse_special
from waymark.values.synthetic import PydanticRecord
from waymark.vm.arguments import of_wrong_arguments
from waymark.vm.attributes import Attributes
from waymark.vm.binding import DEFAULT
from waymark.vm.callables import CallableValue, Partial
from waymark.vm.classes import ClassCalls
from waymark.vm.code import Code
from waymark.vm.concurrency import FutureMethods
from waymark.vm.copying import model_copy
from waymark.vm.events import CONSTRUCT
from waymark.vm.futures import PENDING, Task
from waymark.vm.heap import Heap
from waymark.vm.iteration import Generator
from waymark.vm.library import Library
from waymark.vm.limits import Meter
from waymark.vm.managers import LoopBound
from waymark.vm.methods import MethodCalls
from waymark.vm.objects import (
    UNBOUND,
    ActionCall,
    ActionValue,
    BoundFunction,
    BoundMethod,
    BuiltinFunction,
    CallInstead,
    Cell,
    Closure,
    Coroutine,
    Frame,
    FunctionValue,
)
from waymark.vm.signals import SWITCH, WAIT
from waymark.vm.tasks import Tasks
from waymark.vm.templates import Templates
from waymark.vm.unwinding import UNCATCHABLE, note_place
from waymark.vm.wording import type_name

_FUNCTIONS = frozenset({FunctionValue, Closure, BoundFunction})
_CALL_BYTES = 100
_STEPS_PER_CALL = 4
_STEPS_PER_CLASS = 8
_SIZED: frozenset[type] = frozenset({str, bytes, list, tuple, dict, OrderedSet, OrderedFrozenSet, *KINDS})


class Calls:
    """Calls of one machine."""

    def __init__(
        self, machine: Any, code: Code, meter: Meter, heap: Heap, tasks: Tasks, attributes: Attributes
    ) -> None:
        self._machine = machine
        self._code = code
        self._meter = meter
        self._heap = heap
        self._tasks = tasks
        self._depth = 0
        self._functions: dict[int, FunctionValue] = {}
        self._actions: dict[int, ActionValue] = {}
        methods = MethodCalls(
            machine, heap, Templates(meter, attributes.get), FutureMethods(tasks, meter), self.invoke
        )
        self._methods = methods
        self._classes = ClassCalls(machine, meter)
        self.library = Library(machine, meter, attributes, methods, tasks.functions)

    def call(self, frame: Frame, callee: Any, args: list[Any], kwargs: dict[str, Any]) -> str | None:
        """CALL: push the result, or enter the function."""
        kind = type(callee)
        while kind is Partial:
            callee, args, kwargs = callee.bound(args, kwargs)
            kind = type(callee)
        if kind in _FUNCTIONS:
            return self._enter(frame, callee, args, kwargs)
        if kind is not BuiltinFunction and kind is not BoundMethod and _has_code(callee):
            return self._construct(callee, args, kwargs)
        if kind is BoundMethod and is_model(callee.receiver):
            return self._call_model(frame, callee, args, kwargs)
        result = self._call_here(callee, args, kwargs)
        if type(result) is CallInstead:
            return self.call(frame, result.callee, result.args, result.kwargs)
        frame.stack.append(result)
        return None

    def invoke(self, callee: Any, args: list[Any], kwargs: dict[str, Any] | None = None) -> Any:
        """A library function calls a value of the run, which must end without waiting."""
        if type(callee) in _FUNCTIONS:
            return self._call_back(callee, args, kwargs or {})
        if type(callee) is BoundMethod and is_model(callee.receiver):
            if callee.name == "model_copy":
                return self._copy_model(callee.receiver, args, kwargs or {})
            raise _cannot_wait(f"{callee.name}()")
        if _has_code(callee):
            raise _cannot_wait(f"{callee.__name__}()")
        result = self._call_here(callee, args, kwargs or {})
        if type(result) is CallInstead:
            return self.invoke(result.callee, result.args, result.kwargs)
        return result

    def _call_here(self, callee: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """A call that is over when Python's own is."""
        self._meter.burn(_STEPS_PER_CALL)
        kind = type(callee)
        result: Any
        if kind is BoundMethod or kind is BuiltinFunction:
            try:
                if kind is BoundMethod:
                    result = self._methods.call(callee, args, kwargs)
                else:
                    result = callee.implementation(*args, **kwargs)
            except TypeError as error:
                said = of_wrong_arguments(error, callee, len(args), kwargs)
                if said is error:
                    raise
                raise said from None
        elif kind is ActionValue:
            result = self._call_action(callee, args, kwargs)
        elif isinstance(callee, type):
            self._meter.burn(_STEPS_PER_CLASS)
            result = self._classes.call(callee, args, kwargs)
            if isinstance(result, LoopBound):
                result.bind(self._tasks)
        elif isinstance(callee, CallableValue):
            result = callee.call(args, kwargs)
        else:
            refuse_special(callee, "__call__")
            raise TypeError(f"'{type_name(kind)}' object is not callable")
        self._heap.charge(_CALL_BYTES)
        if type(result) in _SIZED:
            if type(result) is str or type(result) is bytes:
                self._meter.text(len(result))
            self._heap.charge_value(result, 40)
        return result

    # ---------------------------------------------------------------- functions of the program

    def _enter(self, frame: Frame, callee: Any, args: list[Any], kwargs: dict[str, Any]) -> str | None:
        values = self._bound(callee, args, kwargs)
        if self._code.program.functions[callee.index].is_async:
            frame.stack.append(Coroutine(callee.index, values))
            return None
        self._tasks.push(self._tasks.running, callee.index, values)
        return SWITCH

    def _call_back(self, callee: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        values = self._bound(callee, args, kwargs)
        if self._code.program.functions[callee.index].is_async:
            return Coroutine(callee.index, values)
        inner = self._inner_task()
        self._tasks.push(inner, callee.index, values)
        return self._run_inner(inner, self.name_of(callee))

    def next_of(self, generator: Generator) -> Any:
        """The next item of a generator that a library function asks for."""
        if generator.frame is None:
            raise StopIteration
        inner = self._inner_task()
        self._tasks.resume_generator(inner, generator)
        item = self._run_inner(inner, "a generator expression")
        if generator.frame is None:
            raise StopIteration
        return item

    def generator(self, index: int, iterator: Any, cells: tuple[Cell, ...]) -> Generator:
        """MAKE_GENERATOR: a generator that has not begun."""
        function = self._code.program.functions[index]
        values: list[Any] = [iterator, *[UNBOUND] * (len(function.locals) - 1)]
        for local in function.cells:
            values[local] = Cell(UNBOUND)
        for local, cell in zip(function.free, cells, strict=True):
            values[local] = cell
        frame = Frame(index, values, self._code.code[index])
        generator = frame.generator = Generator(self._machine, frame)
        return generator

    def _inner_task(self) -> Task:
        """A task for what a library function calls."""
        if self._depth >= self._meter.limits.callbacks:
            self._tasks.raise_recursion()
        return Task(None)

    def _run_inner(self, inner: Task, shown: str) -> Any:
        tasks = self._tasks
        tasks.enter_inner(inner)
        self._depth += 1
        try:
            tasks.run(inner)
        except UNCATCHABLE as error:
            for frame in reversed(inner.frames):
                note_place(self._code, error, frame)
            raise
        finally:
            tasks.leave_inner()
            self._depth -= 1
        if inner.status == PENDING:
            raise _cannot_wait(shown)
        if inner.exception is not None:
            tasks.pass_through(inner.exception)
        return inner.value

    def bind(
        self, index: int, args: list[Any], kwargs: dict[str, Any], held: tuple[Any, ...] = ()
    ) -> list[Any]:
        """Locals of a function that was called.

        Args:
            held: Defaults that the function value has.

        Raises:
            TypeError: The arguments do not fit, in CPython's words.
        """
        function = self._code.program.functions[index]
        values = self._code.binder(index)(*args, **kwargs)
        for position, value in enumerate(values):
            if value is DEFAULT:
                default = function.parameters[position].default
                assert default is not None
                values[position] = (
                    held[_held_before(function, position)]
                    if default == HELD
                    else self._machine.load_global(default)
                )
        values.extend([UNBOUND] * (len(function.locals) - len(values)))
        for cell in function.cells:
            values[cell] = Cell(values[cell])
        return values

    def _bound(self, callee: Any, args: list[Any], kwargs: dict[str, Any]) -> list[Any]:
        """Locals of a function value that was called."""
        index: int = callee.index
        self._meter.burn(self._code.call_costs[index])
        self._heap.charge(_CALL_BYTES)
        if type(callee) is BoundFunction:
            return self.bind(index, [callee.receiver, *args], kwargs)
        if type(callee) is FunctionValue:
            return self.bind(index, args, kwargs)
        values = self.bind(index, args, kwargs, callee.defaults)
        for local, cell in zip(self._code.program.functions[index].free, callee.cells, strict=True):
            values[local] = cell
        return values

    def function(self, index: int) -> FunctionValue:
        """The one value of a function that exists once, so that `is` holds."""
        return self._functions.setdefault(index, FunctionValue(index))

    def action(self, index: int) -> ActionValue:
        """The one value of an action."""
        return self._actions.setdefault(index, ActionValue(index))

    # ---------------------------------------------------------------- actions and classes with code

    def _call_action(self, callee: ActionValue, args: list[Any], kwargs: dict[str, Any]) -> ActionCall:
        """An awaitable for one call; arguments are bound as Python would, so a wrong one fails here."""
        self._code.action_binder(callee.index)(*args, **kwargs)
        return ActionCall(callee.index, tuple(args), kwargs)

    @staticmethod
    def set_policy(call: Any, policy: Any, timeout: Any) -> None:
        """RUN_ACTION: attach retry policy and timeout to a call."""
        if type(call) is not ActionCall:
            raise TypeError(f"run_action() needs the call of an action, got {type(call).__name__}")
        if policy is not None and not isinstance(policy, RetryPolicy):
            raise TypeError(f"run_action() retry must be a RetryPolicy, got {type(policy).__name__}")
        call.policy = policy
        call.timeout_us = timeout_us(timeout)

    def _construct(self, cls: Any, args: list[Any], kwargs: dict[str, Any]) -> str:
        """Build an instance of a class with code of its own: on a worker, while the run stands still."""
        if self._depth:
            return WAIT  # the library function that called back is told
        key = cls.__waymark_info__.key
        arguments = encode([args, kwargs], root=f"arguments of {key.qualname}()")
        call = self._machine.flight.ask(CONSTRUCT, key.module, key.qualname, arguments, is_exclusive=True)
        self._tasks.stand_still(call)
        return WAIT

    def _call_model(
        self, frame: Frame, method: BoundMethod, args: list[Any], kwargs: dict[str, Any]
    ) -> str | None:
        """A method that every pydantic model has: validation and serialization are the class's own, so a worker does them."""
        receiver = method.receiver
        cls = receiver if isinstance(receiver, type) else type(receiver)
        if method.name == "model_copy":
            frame.stack.append(self._copy_model(receiver, args, kwargs))
            return None
        if isinstance(receiver, type) and any(isinstance(argument, cls) for argument in args):
            raise UnsupportedPatternError(
                f"{cls.__name__}.{method.name}() of an instance cannot be used in a workflow; the instance is valid already"
            )
        if self._depth:
            raise _cannot_wait(f"{cls.__name__}.{method.name}()")
        key = key_of(cls)
        given = args if isinstance(receiver, type) else [receiver, *args]
        name = f"{key.qualname}.{method.name}"
        arguments = encode([given, kwargs], root=f"arguments of {name}()")
        self._tasks.stand_still(
            self._machine.flight.ask(CONSTRUCT, key.module, name, arguments, is_exclusive=True)
        )
        return WAIT

    def _copy_model(self, receiver: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        return model_copy(self._machine, receiver, *args, **kwargs)

    def name_of(self, callee: Any) -> str:
        """How CPython names a callee in argument errors."""
        if type(callee) in _FUNCTIONS:
            function = self._code.program.functions[callee.index]
            return f"{function.module or self._code.program.module}.{function.qualname}()"
        if isinstance(callee, ActionValue):
            reference = self._code.program.actions[callee.index]
            return f"{reference.module}.{reference.name}()"
        if isinstance(callee, BoundMethod):
            return f"{type(callee.receiver).__name__}.{callee.name}()"
        if isinstance(callee, BuiltinFunction | type):
            name = callee.name if isinstance(callee, BuiltinFunction) else callee.__qualname__
            return f"{name}()"
        return f"{type(callee).__name__} object"


def _held_before(function: Function, position: int) -> int:
    return sum(parameter.default == HELD for parameter in function.parameters[:position])


def is_model(value: Any) -> bool:
    """A pydantic model, or an instance of one."""
    return isinstance(value, PydanticRecord) or (
        isinstance(value, type) and issubclass(value, PydanticRecord)
    )


def _has_code(callee: Any) -> bool:
    if not isinstance(callee, type):
        return False
    info = getattr(callee, "__waymark_info__", None)
    return info is not None and info.has_code and not issubclass(callee, enum.Enum)


def _cannot_wait(what: str) -> UnsupportedPatternError:
    return UnsupportedPatternError(
        f"{what} builds an instance of a class with code of its own while a library function calls it; "
        "build it in a loop, or in an @action"
    )
