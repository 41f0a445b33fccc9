"""The link between two processes: order, coalescing, ends and limits."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Coroutine
from unittest.mock import Mock

import pytest
import uvloop

from waymark.link import FrameTooLarge, Link, LinkBroken, batches
from waymark.proto.link_pb2 import FromShard, ShardDispatch, ShardDispatches, ShardReady, ToShard


@pytest.fixture(autouse=True, params=["asyncio", "uvloop"])
def event_loop_factory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs on both event loops: tests and tools use the one, the services the other."""
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
    monkeypatch.setattr("tests.link.test_link.new_event_loop", factory)


new_event_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop


def run_loop(main: Coroutine[None, None, None]) -> None:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main)


def run(body: Callable[[Link[ToShard], Link[FromShard]], Awaitable[None]]) -> None:
    """Run a test body over a connected pair: the shard's end and the supervisor's end."""

    async def main() -> None:
        ours, theirs = socket.socketpair()
        shard = await Link.open(ours, receives=ToShard)
        supervisor = await Link.open(theirs, receives=FromShard)
        try:
            async with asyncio.timeout(20):
                await body(shard, supervisor)
        finally:
            await shard.close()
            await supervisor.close()

    run_loop(main())


def dispatches(token: int, body: bytes = b"") -> FromShard:
    return FromShard(dispatches=ShardDispatches(dispatches=[ShardDispatch(token=token, body=body)]))


def test_messages_arrive_in_order_and_whole() -> None:
    """What one end sends the other receives, empty and large messages included."""

    async def body(shard: Link[ToShard], supervisor: Link[FromShard]) -> None:
        sent = [dispatches(n, b"x" * (n * 4096)) for n in range(200)] + [FromShard()]
        for message in sent:
            shard.send(message)
        received = [await supervisor.receive() for _ in sent]
        assert received == sent

    run(body)


def test_messages_of_one_turn_leave_in_one_write() -> None:
    """A hundred sends in one turn of the loop are one write."""

    async def body(shard: Link[ToShard], supervisor: Link[FromShard]) -> None:
        writes: list[bytes] = []
        transport = Mock(is_closing=lambda: False, write=writes.append)
        real, shard._transport = shard._transport, transport
        for n in range(100):
            shard.send(dispatches(n))
        await asyncio.sleep(0)
        shard._transport = real
        assert len(writes) == 1
        assert real is not None
        real.write(writes[0])
        assert [await supervisor.receive() for _ in range(100)] == [dispatches(n) for n in range(100)]

    run(body)


def test_a_clean_end_is_none_after_everything_was_received() -> None:
    """Closing flushes; the peer reads all of it and then the end, as often as it asks."""

    async def body(shard: Link[ToShard], supervisor: Link[FromShard]) -> None:
        shard.send(FromShard(ready=ShardReady()))
        await shard.close()
        message = await supervisor.receive()
        assert message is not None
        assert message.HasField("ready")
        assert await supervisor.receive() is None
        assert await supervisor.receive() is None
        supervisor.send(ToShard())
        await supervisor.drain()

    run(body)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (struct.pack(">I", 10) + b"abc", "went away inside a message"),
        (b"\xff\xff\xff\xff", "is announced, the limit is"),
        (struct.pack(">I", 4) + b"\xff\xff\xff\xff", "are no FromShard"),
    ],
)
def test_a_damaged_stream_is_an_error(data: bytes, problem: str) -> None:
    """A cut, oversized or senseless frame ends the link with an error that says which."""

    async def main() -> None:
        ours, theirs = socket.socketpair()
        link = await Link.open(theirs, receives=FromShard)
        ours.sendall(data)
        ours.close()
        with pytest.raises(LinkBroken, match=problem):
            async with asyncio.timeout(20):
                await link.receive()
        await link.close()

    run_loop(main())


def test_a_message_over_the_limit_is_refused_by_its_sender() -> None:
    """The sender gets a typed error and the link lives on."""

    async def main() -> None:
        ours, theirs = socket.socketpair()
        shard = await Link.open(ours, receives=ToShard, max_frame_bytes=1000)
        supervisor = await Link.open(theirs, receives=FromShard)
        with pytest.raises(FrameTooLarge, match="over the limit of 1000"):
            shard.send(dispatches(1, b"x" * 1000))
        shard.send(dispatches(2))
        assert await supervisor.receive() == dispatches(2)
        await shard.close()
        await supervisor.close()

    run_loop(main())


def test_a_peer_that_does_not_read_cannot_hold_up_the_close() -> None:
    """Closing gives up after its timeout, and `drain` waits while the peer does not read."""

    async def main() -> None:
        ours, theirs = socket.socketpair()
        link = await Link.open(ours, receives=ToShard)
        for _ in range(64):
            link.send(dispatches(1, b"x" * 100_000))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await link.drain()
        await link.close(timeout_s=0.05)
        theirs.close()

    run_loop(main())


def test_batches_respect_both_limits() -> None:
    """Cut by count and by bytes; a single item over the limit travels alone."""
    assert list(batches([1, 1, 1, 1, 1], lambda n: n, max_items=2)) == [[1, 1], [1, 1], [1]]
    assert list(batches([4, 4, 9, 4], lambda n: n, max_bytes=8)) == [[4, 4], [9], [4]]
    assert list(batches([], lambda n: n)) == []
