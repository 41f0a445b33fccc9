"""The whole engine in one process over memory: what `WAYMARK_BRIDGE_IN_MEMORY` and test runs use.

The same store protocol, executor, virtual machine, worker stream and RPC service as in production; only the store forgets, and the
processes that start runs are also the ones that execute their actions.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import uuid
from collections.abc import Iterable, Sequence

import grpc.aio

from waymark.bridge.server import BridgeService, new_server
from waymark.executor.dispatch import Outgoing
from waymark.executor.executor import Executor, ExecutorSettings
from waymark.model.identity import BRIDGE_PROTOCOL_VERSION, MODE_MEMORY, BridgeIdentity
from waymark.model.records import ExecutorId, InstanceId
from waymark.pool.router import Lane, Results, Router
from waymark.pool.service import Admission, Refusal, WorkerPoolService
from waymark.proto.worker_pb2 import ActionResult, Hello, Lost
from waymark.store.memory.store import MemoryStore
from waymark.store.protocol import CHANNEL_READY

log = logging.getLogger("waymark.bridge")

SLOTS = 1000
"""Actions at once in one client."""

_FOREVER_US = 2**62
_LEASE_MS = 10 * 365 * 24 * 3600 * 1000
_LOST = ActionResult(lost=Lost(reason="the process that ran it has gone")).SerializeToString()


class _Client:
    """One attached process."""

    def __init__(self, router: Router) -> None:
        self.router = router
        self.lane: Lane | None = None
        self.tokens: set[int] = set()


class MemoryEngine:
    """Store, shard and both RPC services in this event loop.

    Args:
        address: host:port to serve on; port 0 picks a free one.
        token: What clients must know.
        skips_sleep: Timers fire at once when nothing else is going on.
        max_instances: Runs in memory.
    """

    def __init__(
        self, address: str, token: str, *, skips_sleep: bool = False, max_instances: int = 10_000
    ) -> None:
        self._address = address
        self._token = token
        self._store = MemoryStore()
        self._executor_id = ExecutorId(uuid.uuid4())
        self._executor = Executor(
            self._executor_id,
            self._store,
            ExecutorSettings(
                max_instances=max_instances,
                skips_sleep=skips_sleep,
                poll_interval_ms=100,
                persist_interval_ms=100,
            ),
            send=self._send,
            cancel=self._cancel,
        )
        self._clients: dict[bytes, _Client] = {}
        self._owners: dict[InstanceId, bytes] = {}
        self._homeless: list[Outgoing] = []
        self._server: grpc.aio.Server | None = None
        self._service: BridgeService | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.port = 0

    async def start(self) -> None:
        """Serve.

        Raises:
            OSError: The address is taken.
        """
        identity = BridgeIdentity(BRIDGE_PROTOCOL_VERSION, MODE_MEMORY, "")
        service = BridgeService(self._store, identity, self._token, observer=self)
        server = new_server(self._token)
        WorkerPoolService(self).add_to(server)
        self.port = service.serve(server, self._address)
        await self._store.open_executor(self._executor_id, host="memory", pid=0, ttl_ms=_LEASE_MS)
        self._executor.use_lease_until(_FOREVER_US)
        for loop in (self._executor.run, service.run, self._wake_executor):
            self._tasks.append(asyncio.create_task(loop()))
        await server.start()
        self._server, self._service = server, service

    async def stop(self) -> None:
        """Stop serving; everything is forgotten."""
        if self._server is not None and self._service is not None:
            for client in self._clients.values():
                if client.lane is not None:
                    client.lane.port.close("the bridge stops")
            await self._service.stop(self._server)
            self._server = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        for client in self._clients.values():
            client.router.stop()

    async def failed(self) -> None:
        """Wait until a part of the engine ends, which none should; raises what it ended with."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def _wake_executor(self) -> None:
        async with self._store.listen([CHANNEL_READY]) as notified:
            async for _channel in notified:
                self._executor.wake()

    # ---------------------------------------------------------------- who runs what

    def started(self, client_id: bytes, ids: Iterable[InstanceId]) -> None:
        """See `bridge.server.StartObserver`."""
        for instance_id in ids:
            self._owners.setdefault(instance_id, client_id)

    def admit(self, hello: Hello) -> Admission:
        """See `pool.service.Gate`."""
        if not hmac.compare_digest(hello.secret, self._token.encode()):
            raise Refusal(
                "the token is not that of this bridge; set WAYMARK_BRIDGE_TOKEN to the same value on both sides"
            )
        client_id = hello.worker_id
        router = Router(lambda _source, results: self._answered(client_id, results))
        self._clients[client_id] = _Client(router)
        return Admission(router, SLOTS)

    def attached(self, lane: Lane) -> None:
        """See `pool.service.Gate`."""
        self._clients[lane.worker_id].lane = lane
        watcher = asyncio.create_task(self._watch(lane, self._clients[lane.worker_id]))
        self._tasks.append(watcher)
        watcher.add_done_callback(self._tasks.remove)
        waiting, self._homeless = self._homeless, []
        self._send(waiting)

    async def _watch(self, lane: Lane, client: _Client) -> None:
        await lane.ended.wait()
        if self._clients.get(lane.worker_id) is client:
            del self._clients[lane.worker_id]
        client.router.stop()
        lost, client.tokens = client.tokens, set()
        self._executor.deliver([(token, _LOST) for token in lost])

    def _answered(self, client_id: bytes, results: Results) -> None:
        client = self._clients.get(client_id)
        if client is not None:
            client.tokens.difference_update(token for token, _ in results)
        self._executor.deliver(results)

    def _send(self, calls: Sequence[Outgoing]) -> None:
        for call in calls:
            client = self._clients.get(self._owners.get(call.instance.instance_id, b""))
            if client is None and self._clients:
                client = next(reversed(self._clients.values()))
            if client is None:
                self._homeless.append(call)
                continue
            client.tokens.add(call.token)
            client.router.dispatch(self._executor_id, call.token, call.body, call.timeout_ms)

    def _cancel(self, tokens: Sequence[int]) -> None:
        for client in self._clients.values():
            for token in tokens:
                if token in client.tokens:
                    client.router.cancel(self._executor_id, token)
