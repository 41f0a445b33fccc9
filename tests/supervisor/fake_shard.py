"""A shard that speaks the link and nothing else; how it behaves is in its environment.

Arguments: executor id, descriptor of the link. It appends what happens to it as JSON lines to $FAKE_SHARD_LOG.
FAKE_SHARD: "serve" dispatches FAKE_SHARD_CALLS echo calls, then waits for its stop; "silent" says ready and then
nothing; "deaf" ignores its stop; "exit" ends with code 5 at once; "hold" dispatches one call that never ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from typing import Any

from waymark.link import Link
from waymark.link.parent import die_with_parent
from waymark.proto.link_pb2 import (
    FromShard,
    ShardDispatch,
    ShardDispatches,
    ShardProgress,
    ShardReady,
    ShardStopped,
    ToShard,
)
from waymark.proto.worker_pb2 import ActionDispatch, ActionResult
from waymark.values import codec


def note(event: str, **facts: Any) -> None:
    with open(os.environ["FAKE_SHARD_LOG"], "a") as log:
        log.write(json.dumps({"event": event, "pid": os.getpid(), "id": sys.argv[1], **facts}) + "\n")


def call(token: int, name: str, *args: object) -> ShardDispatch:
    dispatch = ActionDispatch(
        instance_id=bytes(16), module="pool_actions", name=name, arguments=codec.encode([list(args), {}])
    )
    return ShardDispatch(token=token, body=dispatch.SerializeToString())


async def main() -> None:
    behaviour = os.environ["FAKE_SHARD"]
    note("started")
    if behaviour == "exit":
        sys.exit(5)
    link = await Link.open(socket.socket(fileno=int(sys.argv[2])), receives=ToShard)
    link.send(FromShard(ready=ShardReady()))
    calls = int(os.environ.get("FAKE_SHARD_CALLS", "0"))
    answered: dict[int, object] = {}
    is_leased = False

    async def progress() -> None:
        while True:
            link.send(FromShard(progress=ShardProgress(actions_completed=len(answered))))
            await asyncio.sleep(0.2)

    speaking = asyncio.create_task(progress()) if behaviour != "silent" else None
    while (message := await link.receive()) is not None:
        kind = message.WhichOneof("kind")
        if kind == "lease":
            note("lease", usable_until_us=message.lease.usable_until_us)
            if not is_leased:
                is_leased = True
                entries = [call(n, "echo", n) for n in range(calls)]
                if behaviour == "hold":
                    entries.append(call(0, "touch_and_wait", os.environ["FAKE_SHARD_LOG"] + ".held"))
                link.send(FromShard(dispatches=ShardDispatches(dispatches=entries)))
        elif kind == "wake":
            note("wake")
        elif kind == "results":
            for result in message.results.results:
                outcome = ActionResult.FromString(result.body)
                assert result.token not in answered
                if outcome.WhichOneof("outcome") != "value":
                    note("failed", outcome=str(outcome))
                    continue
                answered[result.token] = codec.decode(outcome.value)
            if len(answered) == calls:
                note("answered", right=answered == {n: n for n in range(calls)})
        elif kind == "stop":
            note("stop", grace_ms=message.stop.grace_ms)
            if behaviour != "deaf":
                link.send(FromShard(stopped=ShardStopped()))
                break
    if speaking is not None:
        speaking.cancel()
    await link.close()


die_with_parent()
asyncio.run(main())
