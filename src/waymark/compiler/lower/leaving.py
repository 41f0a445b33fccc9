"""Leaving blocks by return, break and continue: runs the control objects from the inside out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from waymark.compiler.lower.blocks import FinallyBody, FinallyHandler, Handler, KeptValue, Loop, Managed
from waymark.compiler.lower.function import NONE, FunctionLowering
from waymark.program.instructions import Op


@contextmanager
def left_blocks(to: FunctionLowering, count: int, *, keeps_value: bool) -> Iterator[None]:
    """Leave the innermost blocks, emit the jump out inside the `with`, then go on where the blocks are open.

    Args:
        count: How many blocks are left.
        keeps_value: A return value is on top of the stack and stays there.
    """
    blocks, region = to.blocks, to.builder.region
    for index in range(len(blocks) - 1, len(blocks) - 1 - count, -1):
        to.blocks = blocks[:index]
        _leave(to, blocks[index], keeps_value)
    yield
    to.blocks, to.builder.region = blocks, region


def _leave(to: FunctionLowering, block: object, keeps_value: bool) -> None:
    builder = to.builder

    def uncover() -> None:
        """Bring what lies below the return value to the top."""
        if keeps_value:
            builder.emit(Op.SWAP, 2)

    match block:
        case Loop(has_iterator=has_iterator, outer_region=region):
            # A try inside of the loop does not guard what runs without the iterator its handlers count on.
            builder.region = region
            if has_iterator:
                uncover()
                builder.emit(Op.POP)
        case KeptValue():
            uncover()
            builder.emit(Op.POP)
        case FinallyBody(statements=statements, outer_region=region):
            builder.region = region
            if keeps_value:
                to.blocks.append(KeptValue())
            to.statements(statements)
        case Managed(is_async=is_async, outer_region=region, node=node):
            builder.region = region
            uncover()
            with builder.at(node):
                leave_manager(to, is_async)
        case FinallyHandler(outer_region=region):
            uncover()
            builder.emit(Op.POP)
            builder.region = region
            uncover()
            builder.emit(Op.POP_EXC)
        case Handler(local=local, outer_region=region):
            builder.region = region
            uncover()
            builder.emit(Op.POP_EXC)
            if local is not None:
                unbind(to, local)


def leave_manager(to: FunctionLowering, is_async: bool) -> None:
    """Leave the manager on top of the stack without an exception."""
    to.constant(NONE)
    to.builder.emit(Op.LEAVE, int(is_async))
    if is_async:
        to.builder.emit(Op.AWAIT)
    to.builder.emit(Op.POP)


def unbind(to: FunctionLowering, local: int) -> None:
    """`del` a local that may be unbound already, as at the end of `except E as e`."""
    to.constant(NONE)
    to.store(local)
    to.delete(local)
