"""One small function per instruction, over a frame. `program.instructions` says what each one does to the stack.

A handler returns None when the next instruction of the same frame follows, SWITCH when the task's innermost frame changed, WAIT when the task
cannot go on now. An exception it raises is Python's own and is handled by the machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from waymark.program.instructions import Op
from waymark.values.collections import KINDS
from waymark.values.sets import OrderedFrozenSet, OrderedSet
from waymark.vm.attributes import Property
from waymark.vm.exception_groups import match_star, raised_by_star
from waymark.vm.iteration import Generator, MachineIterator, SequenceIterator, make_iterator
from waymark.vm.limits import count_of
from waymark.vm.managers import enter, leave
from waymark.vm.matching import match_class, match_keys, match_mapping, match_rest, match_sequence
from waymark.vm.objects import UNBOUND, ActionCall, BoundFunction, Cell, Closure, Frame
from waymark.vm.operations import (
    BINARY,
    BINARY_GUARDS,
    COMPARE,
    FIRST_MEMBERSHIP,
    INPLACE,
    INPLACE_GUARDS,
    UNARY,
    convert,
    format_value,
    guard_compare,
    unpack,
    unpack_rest,
)
from waymark.vm.signals import SWITCH
from waymark.vm.unwinding import Reraise
from waymark.vm.weight import LIGHT, check_key, check_keys

if TYPE_CHECKING:
    from waymark.vm.machine import Machine

Handler = Callable[["Machine", Frame, int], str | None]


def _nop(machine: Machine, frame: Frame, operand: int) -> None:
    pass


def _const(machine: Machine, frame: Frame, operand: int) -> None:
    frame.stack.append(machine.constants[operand])


def _global(machine: Machine, frame: Frame, operand: int) -> None:
    frame.stack.append(machine.load_global(operand))


def _local(machine: Machine, frame: Frame, operand: int) -> None:
    value = frame.locals[operand]
    if value is UNBOUND:
        raise _unbound_local(machine, frame, operand)
    frame.stack.append(value)


def _unbound_local(machine: Machine, frame: Frame, index: int) -> UnboundLocalError:
    name = machine.code.program.functions[frame.function].locals[index]
    return UnboundLocalError(f"cannot access local variable '{name}' where it is not associated with a value")


def _store(machine: Machine, frame: Frame, operand: int) -> None:
    frame.locals[operand] = frame.stack.pop()


def _delete(machine: Machine, frame: Frame, operand: int) -> None:
    if frame.locals[operand] is UNBOUND:
        raise _unbound_local(machine, frame, operand)
    frame.locals[operand] = UNBOUND


def _cell(machine: Machine, frame: Frame, operand: int) -> None:
    value = frame.locals[operand].content
    if value is UNBOUND:
        raise _unbound_cell(machine, frame, operand)
    frame.stack.append(value)


def _unbound_cell(machine: Machine, frame: Frame, index: int) -> NameError:
    function = machine.code.program.functions[frame.function]
    if index not in function.free:
        return _unbound_local(machine, frame, index)
    name = function.locals[index]
    return NameError(
        f"cannot access free variable '{name}' where it is not associated with a value in enclosing scope",
        name=name,
    )


def _store_cell(machine: Machine, frame: Frame, operand: int) -> None:
    frame.locals[operand].content = frame.stack.pop()


def _delete_cell(machine: Machine, frame: Frame, operand: int) -> None:
    cell = frame.locals[operand]
    if cell.content is UNBOUND:
        raise _unbound_cell(machine, frame, operand)
    cell.content = UNBOUND


def _new_cell(machine: Machine, frame: Frame, operand: int) -> None:
    frame.locals[operand] = Cell(UNBOUND)


def _push_cell(machine: Machine, frame: Frame, operand: int) -> None:
    frame.stack.append(frame.locals[operand])


def _make_function(machine: Machine, frame: Frame, operand: int) -> None:
    cells = frame.stack.pop()
    machine.heap.charge(_FUNCTION_BYTES)
    frame.stack[-1] = Closure(operand, frame.stack[-1], cells)


def _pop(machine: Machine, frame: Frame, operand: int) -> None:
    frame.stack.pop()


def _copy(machine: Machine, frame: Frame, operand: int) -> None:
    frame.stack.append(frame.stack[-operand])


def _swap(machine: Machine, frame: Frame, operand: int) -> None:
    stack = frame.stack
    stack[-1], stack[-operand] = stack[-operand], stack[-1]


def _attr(machine: Machine, frame: Frame, operand: int) -> str | None:
    stack = frame.stack
    value = stack[-1] = machine.attributes.find(stack[-1], machine.names[operand])
    if type(value) is Property:
        stack.pop()
        return machine.calls.call(frame, value.getter, [], {})
    return None


def _store_attr(machine: Machine, frame: Frame, operand: int) -> None:
    target = frame.stack.pop()
    machine.attributes.set(target, machine.names[operand], frame.stack.pop())


def _delete_attr(machine: Machine, frame: Frame, operand: int) -> None:
    machine.attributes.delete(frame.stack.pop(), machine.names[operand])


def _item(machine: Machine, frame: Frame, operand: int) -> None:
    stack = frame.stack
    key = stack.pop()
    target = stack[-1]
    kind = type(key)
    if (kind is int and type(target) is list) or (type(target) is dict and (kind is str or kind is int)):
        stack[-1] = target[key]
    else:
        stack[-1] = machine.items.get(target, key)


def _store_item(machine: Machine, frame: Frame, operand: int) -> None:
    stack = frame.stack
    key = stack.pop()
    target = stack.pop()
    machine.items.set(target, key, stack.pop())


def _delete_item(machine: Machine, frame: Frame, operand: int) -> None:
    key = frame.stack.pop()
    machine.items.delete(frame.stack.pop(), key)


def _slice(machine: Machine, frame: Frame, operand: int) -> None:
    parts = _take(frame, operand)
    frame.stack.append(slice(*parts))


def _unary(machine: Machine, frame: Frame, operand: int) -> None:
    if isinstance(frame.stack[-1], dict):
        machine.meter.burn(len(frame.stack[-1]))  # +counter and -counter are new ones
    frame.stack[-1] = UNARY[operand](frame.stack[-1])


def _binary(machine: Machine, frame: Frame, operand: int) -> None:
    stack = frame.stack
    right = stack.pop()
    left = stack[-1]
    # The common case, two small ints, needs no look at sizes.
    if type(left) is not int or type(right) is not int or not (-4096 < left < 4096 and -16 < right < 16):
        guard = BINARY_GUARDS[operand]
        if guard is not None:
            guard(machine.meter, left, right)
    value = stack[-1] = BINARY[operand](left, right)
    if type(value) in _SIZED:
        machine.heap.charge_value(value)


def _inplace(machine: Machine, frame: Frame, operand: int) -> None:
    stack = frame.stack
    right = stack.pop()
    left = stack[-1]
    if type(left) is not int or type(right) is not int or not (-4096 < left < 4096 and -16 < right < 16):
        guard = INPLACE_GUARDS[operand]
        if guard is not None:
            guard(machine.meter, left, right)
    value = stack[-1] = INPLACE[operand](left, right)
    if type(value) in _SIZED:
        if type(value) is list and type(right) is not int:
            machine.heap.charge(_VALUE_BYTES + 40 * count_of(right))  # it grew by these, and is not new
        else:
            machine.heap.charge_value(value)


def _compare(machine: Machine, frame: Frame, operand: int) -> None:
    stack = frame.stack
    right = stack.pop()
    left = stack[-1]
    kind = type(left)
    if kind in LIGHT:
        if operand >= FIRST_MEMBERSHIP:
            guard_compare(machine.meter, operand, left, right)
    elif kind is not str or type(right) is not str or len(right) > 4096:
        guard_compare(machine.meter, operand, left, right)
    stack[-1] = COMPARE[operand](left, right)


def _jump(machine: Machine, frame: Frame, operand: int) -> None:
    frame.pc = operand


def _jump_back(machine: Machine, frame: Frame, operand: int) -> None:
    machine.meter.burn((frame.pc - operand) >> 1)  # the instructions of one turn
    frame.pc = operand


def _jump_false(machine: Machine, frame: Frame, operand: int) -> None:
    if not frame.stack.pop():
        frame.pc = operand


def _jump_true(machine: Machine, frame: Frame, operand: int) -> None:
    if frame.stack.pop():
        frame.pc = operand


def _jump_false_keep(machine: Machine, frame: Frame, operand: int) -> None:
    if frame.stack[-1]:
        frame.stack.pop()
    else:
        frame.pc = operand


def _jump_true_keep(machine: Machine, frame: Frame, operand: int) -> None:
    if frame.stack[-1]:
        frame.pc = operand
    else:
        frame.stack.pop()


def _iter(machine: Machine, frame: Frame, operand: int) -> None:
    value = frame.stack[-1]
    if type(value) not in _INDEXED and not isinstance(value, MachineIterator):
        machine.meter.burn(count_of(value) >> 4)  # its keys are copied
    frame.stack[-1] = make_iterator(value)


def _next(machine: Machine, frame: Frame, operand: int) -> str | None:
    iterator: MachineIterator = frame.stack[-1]
    if type(iterator) is Generator:
        return _next_of_generator(machine, frame, iterator, operand)
    if type(iterator) is not SequenceIterator:
        machine.meter.burn(iterator.cost)
    try:
        item = iterator.__next__()
    except StopIteration:
        frame.stack.pop()
        frame.pc = operand
        return None
    frame.stack.append(item)
    return None


def _next_of_generator(machine: Machine, frame: Frame, generator: Generator, operand: int) -> str | None:
    """Its frame goes on top of this one; when it ends, `leave` sends this frame to the operand of its NEXT."""
    if generator.frame is None:
        frame.stack.pop()
        frame.pc = operand
        return None
    machine.tasks.resume_generator(machine.tasks.running, generator)
    return SWITCH


def _make_generator(machine: Machine, frame: Frame, operand: int) -> None:
    cells = frame.stack.pop()
    machine.heap.charge(_FUNCTION_BYTES)
    frame.stack[-1] = machine.calls.generator(operand, frame.stack[-1], cells)


def _yield(machine: Machine, frame: Frame, operand: int) -> str:
    machine.heap.charge(_VALUE_BYTES)
    return machine.tasks.give(frame, frame.stack.pop())


def _take(frame: Frame, count: int) -> list[Any]:
    if count == 0:
        return []
    taken = frame.stack[-count:]
    del frame.stack[-count:]
    return taken


def _build_list(machine: Machine, frame: Frame, operand: int) -> None:
    frame.stack.append(_take(frame, operand))


def _build_tuple(machine: Machine, frame: Frame, operand: int) -> None:
    frame.stack.append(tuple(_take(frame, operand)))


def _build_set(machine: Machine, frame: Frame, operand: int) -> None:
    items = _take(frame, operand)
    check_keys(machine.meter, items)
    frame.stack.append(OrderedSet(items))


def _build_dict(machine: Machine, frame: Frame, operand: int) -> None:
    parts = _take(frame, 2 * operand)
    check_keys(machine.meter, parts[::2])
    machine.heap.charge(_VALUE_BYTES + _ENTRY_BYTES * operand)
    frame.stack.append(dict(zip(parts[::2], parts[1::2], strict=True)))


def _list_append(machine: Machine, frame: Frame, operand: int) -> None:
    value = frame.stack.pop()
    target = frame.stack[-operand]
    machine.meter.items(len(target) + 1)
    machine.heap.charge(_VALUE_BYTES)
    target.append(value)


def _list_extend(machine: Machine, frame: Frame, operand: int) -> None:
    value = frame.stack.pop()
    target = frame.stack[-operand]
    if not hasattr(type(value), "__iter__"):
        raise TypeError(f"Value after * must be an iterable, not {type(value).__name__}")
    count = machine.meter.consume(value)
    machine.meter.items(len(target) + count)
    machine.heap.charge(_VALUE_BYTES + 40 * count)
    target.extend(value)


def _set_add(machine: Machine, frame: Frame, operand: int) -> None:
    value = frame.stack.pop()
    target = frame.stack[-operand]
    check_key(machine.meter, value)
    machine.meter.items(len(target) + 1)
    machine.heap.charge(_ENTRY_BYTES)
    target.add(value)


def _set_update(machine: Machine, frame: Frame, operand: int) -> None:
    value = frame.stack.pop()
    target = frame.stack[-operand]
    if not hasattr(type(value), "__iter__"):
        raise TypeError(f"'{type(value).__name__}' object is not iterable")
    count = machine.meter.consume(value)
    machine.meter.items(len(target) + count)
    machine.heap.charge(_ENTRY_BYTES * count)
    if not isinstance(value, list | tuple):
        value = list(value)
    check_keys(machine.meter, value)
    target.update(value)


def _dict_set(machine: Machine, frame: Frame, operand: int) -> None:
    value = frame.stack.pop()
    key = frame.stack.pop()
    target = frame.stack[-operand]
    check_key(machine.meter, key)
    machine.meter.items(len(target) + 1)
    machine.heap.charge(_ENTRY_BYTES)
    target[key] = value


def _dict_update(machine: Machine, frame: Frame, operand: int) -> None:
    value = frame.stack.pop()
    if not isinstance(value, dict):
        raise TypeError(f"'{type(value).__name__}' object is not a mapping")
    target = frame.stack[-operand]
    machine.meter.items(len(target) + machine.meter.consume(value))
    machine.heap.charge(_ENTRY_BYTES * len(value))
    target.update(value)


def _kwargs_merge(machine: Machine, frame: Frame, operand: int) -> None:
    value = frame.stack.pop()
    target = frame.stack[-operand]
    callee = frame.stack[-operand - 2]
    if not isinstance(value, dict):
        raise TypeError(
            f"{machine.calls.name_of(callee)} argument after ** must be a mapping, not {type(value).__name__}"
        )
    for key, item in value.items():
        if not isinstance(key, str):
            raise TypeError("keywords must be strings")
        if key in target:
            raise TypeError(
                f"{machine.calls.name_of(callee)} got multiple values for keyword argument '{key}'"
            )
        target[key] = item


def _list_to_tuple(machine: Machine, frame: Frame, operand: int) -> None:
    frame.stack[-1] = tuple(frame.stack[-1])


def _unpack(machine: Machine, frame: Frame, operand: int) -> None:
    items = unpack(frame.stack.pop(), operand)
    items.reverse()
    frame.stack.extend(items)


def _unpack_rest(machine: Machine, frame: Frame, operand: int) -> None:
    items = unpack_rest(machine.meter, frame.stack.pop(), operand & 0xFF, operand >> 8)
    items.reverse()
    frame.stack.extend(items)


def _format(machine: Machine, frame: Frame, operand: int) -> None:
    spec = frame.stack.pop()
    value = frame.stack[-1]
    if type(value) is str and not spec and operand == 0:
        return
    text = frame.stack[-1] = format_value(machine.meter, convert(machine.meter, value, operand), spec)
    machine.heap.charge(_VALUE_BYTES + len(text))


def _build_string(machine: Machine, frame: Frame, operand: int) -> None:
    parts = _take(frame, operand)
    machine.meter.text(sum(map(len, parts)))
    text = "".join(parts)
    machine.heap.charge_value(text)
    frame.stack.append(text)


def _builtin(machine: Machine, frame: Frame, operand: int) -> None:
    frame.stack.append(machine.calls.library.value(machine.names[operand]))


def _function(machine: Machine, frame: Frame, operand: int) -> None:
    frame.stack.append(machine.calls.function(operand))


def _bound(machine: Machine, frame: Frame, operand: int) -> None:
    frame.stack[-1] = BoundFunction(operand, frame.stack[-1])


def _class(machine: Machine, frame: Frame, operand: int) -> None:
    frame.stack.append(machine.code.class_at(operand))


def _action(machine: Machine, frame: Frame, operand: int) -> None:
    frame.stack.append(machine.calls.action(operand))


def _call(machine: Machine, frame: Frame, operand: int) -> str | None:
    args = _take(frame, operand)
    return machine.calls.call(frame, frame.stack.pop(), args, {})


def _call_kw(machine: Machine, frame: Frame, operand: int) -> str | None:
    names = frame.stack.pop()
    args = _take(frame, operand)
    first = len(args) - len(names)
    kwargs = dict(zip(names, args[first:], strict=True))
    return machine.calls.call(frame, frame.stack.pop(), args[:first], kwargs)


def _call_ex(machine: Machine, frame: Frame, operand: int) -> str | None:
    kwargs = frame.stack.pop() if operand & 1 else {}
    args = frame.stack.pop()
    callee = frame.stack.pop()
    if not hasattr(type(args), "__iter__"):
        raise TypeError(
            f"{machine.calls.name_of(callee)} argument after * must be an iterable, not {type(args).__name__}"
        )
    machine.meter.consume(args)
    return machine.calls.call(frame, callee, list(args), kwargs)


def _run_action(machine: Machine, frame: Frame, operand: int) -> None:
    timeout = frame.stack.pop() if operand & 2 else None
    policy = frame.stack.pop() if operand & 1 else None
    call: ActionCall = frame.stack[-1]
    machine.calls.set_policy(call, policy, timeout)


def _await(machine: Machine, frame: Frame, operand: int) -> str | None:
    return machine.tasks.await_value(frame, frame.stack.pop())


def _return(machine: Machine, frame: Frame, operand: int) -> str:
    return machine.tasks.leave(frame.stack.pop())


def _raise(machine: Machine, frame: Frame, operand: int) -> None:
    if operand == 0:
        handled = machine.tasks.handled()
        if handled is None:
            raise RuntimeError("No active exception to reraise")
        raise Reraise(handled, is_new=False)
    cause = frame.stack.pop() if operand == 2 else UNBOUND
    machine.tasks.raise_value(frame.stack.pop(), cause)


def _push_exc(machine: Machine, frame: Frame, operand: int) -> None:
    exception = frame.stack.pop()
    frame.stack.append(frame.handled)
    frame.stack.append(exception)
    frame.handled = exception


def _pop_exc(machine: Machine, frame: Frame, operand: int) -> None:
    frame.handled = frame.stack.pop()


def _exc_match(machine: Machine, frame: Frame, operand: int) -> None:
    classes = frame.stack.pop()
    for cls in classes if isinstance(classes, tuple) else (classes,):
        if not (isinstance(cls, type) and issubclass(cls, BaseException)):
            raise TypeError("catching classes that do not inherit from BaseException is not allowed")
    frame.stack.append(isinstance(frame.stack[-1], classes))


def _reraise(machine: Machine, frame: Frame, operand: int) -> None:
    raise Reraise(frame.stack.pop(), is_new=False)


def _star_match(machine: Machine, frame: Frame, operand: int) -> None:
    classes = frame.stack.pop()
    rest, match = match_star(machine.meter, frame.stack.pop(), classes)
    if match is not None:
        frame.handled = match
    frame.stack += (rest, match)


def _star_raise(machine: Machine, frame: Frame, operand: int) -> None:
    ended = frame.stack.pop()
    frame.stack[-1] = raised_by_star(machine.meter, frame.stack[-1], ended)


def _enter(machine: Machine, frame: Frame, operand: int) -> None:
    frame.stack.append(enter(frame.stack[-1], bool(operand)))


def _leave(machine: Machine, frame: Frame, operand: int) -> None:
    error = frame.stack.pop()
    frame.stack[-1] = leave(frame.stack[-1], error, bool(operand))


_SIZED: frozenset[type] = frozenset({str, bytes, list, tuple, dict, OrderedSet, OrderedFrozenSet, *KINDS})
_INDEXED = frozenset({list, tuple, str, bytes, range})
_VALUE_BYTES = 60
_ENTRY_BYTES = 150
_FUNCTION_BYTES = 200

_TABLE: dict[Op, Handler] = {
    Op.NOP: _nop,
    Op.CONST: _const,
    Op.GLOBAL: _global,
    Op.LOCAL: _local,
    Op.STORE: _store,
    Op.DELETE: _delete,
    Op.POP: _pop,
    Op.COPY: _copy,
    Op.SWAP: _swap,
    Op.ATTR: _attr,
    Op.STORE_ATTR: _store_attr,
    Op.DELETE_ATTR: _delete_attr,
    Op.ITEM: _item,
    Op.STORE_ITEM: _store_item,
    Op.DELETE_ITEM: _delete_item,
    Op.SLICE: _slice,
    Op.UNARY: _unary,
    Op.BINARY: _binary,
    Op.INPLACE: _inplace,
    Op.COMPARE: _compare,
    Op.JUMP: _jump,
    Op.JUMP_BACK: _jump_back,
    Op.JUMP_FALSE: _jump_false,
    Op.JUMP_TRUE: _jump_true,
    Op.JUMP_FALSE_KEEP: _jump_false_keep,
    Op.JUMP_TRUE_KEEP: _jump_true_keep,
    Op.ITER: _iter,
    Op.NEXT: _next,
    Op.BUILD_LIST: _build_list,
    Op.BUILD_TUPLE: _build_tuple,
    Op.BUILD_SET: _build_set,
    Op.BUILD_DICT: _build_dict,
    Op.LIST_APPEND: _list_append,
    Op.LIST_EXTEND: _list_extend,
    Op.SET_ADD: _set_add,
    Op.SET_UPDATE: _set_update,
    Op.DICT_SET: _dict_set,
    Op.DICT_UPDATE: _dict_update,
    Op.KWARGS_MERGE: _kwargs_merge,
    Op.LIST_TO_TUPLE: _list_to_tuple,
    Op.UNPACK: _unpack,
    Op.UNPACK_REST: _unpack_rest,
    Op.FORMAT: _format,
    Op.BUILD_STRING: _build_string,
    Op.BUILTIN: _builtin,
    Op.FUNCTION: _function,
    Op.BOUND: _bound,
    Op.CLASS: _class,
    Op.ACTION: _action,
    Op.CALL: _call,
    Op.CALL_KW: _call_kw,
    Op.CALL_EX: _call_ex,
    Op.RUN_ACTION: _run_action,
    Op.AWAIT: _await,
    Op.RETURN: _return,
    Op.RAISE: _raise,
    Op.PUSH_EXC: _push_exc,
    Op.POP_EXC: _pop_exc,
    Op.EXC_MATCH: _exc_match,
    Op.RERAISE: _reraise,
    Op.MATCH_SEQUENCE: match_sequence,
    Op.MATCH_MAPPING: match_mapping,
    Op.MATCH_KEYS: match_keys,
    Op.MATCH_REST: match_rest,
    Op.MATCH_CLASS: match_class,
    Op.CELL: _cell,
    Op.STORE_CELL: _store_cell,
    Op.DELETE_CELL: _delete_cell,
    Op.NEW_CELL: _new_cell,
    Op.PUSH_CELL: _push_cell,
    Op.MAKE_FUNCTION: _make_function,
    Op.ENTER: _enter,
    Op.LEAVE: _leave,
    Op.MAKE_GENERATOR: _make_generator,
    Op.YIELD: _yield,
    Op.STAR_MATCH: _star_match,
    Op.STAR_RAISE: _star_raise,
}

HANDLERS: tuple[Handler, ...] = tuple(_TABLE[op] for op in sorted(Op))
"""By operation number; the numbers are dense from 0."""
