"""Many helpers, one bridge; and only the right one, whoever else listens."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import grpc
import pytest

from tests.bridge.harness import BOOT, Desk, listener, open_desk
from tests.yardstick import python_start_s
from waymark.boot import singleton
from waymark.config import load_client
from waymark.errors import BootError
from waymark.model.identity import BRIDGE_PROTOCOL_VERSION, MODE_MEMORY, BridgeIdentity
from waymark.proto import workflow_pb2 as pb
from waymark.testing.local_stack import wait_until

CANARY = "canary-7f3a"


@pytest.fixture
def desk() -> Iterator[Desk]:
    """In memory mode, which needs nothing else."""
    with open_desk(WAYMARK_BRIDGE_IN_MEMORY="1") as one:
        yield one


def test_twenty_helpers_at_once_boot_one_bridge(desk: Desk) -> None:
    """All print the same port, and one bridge runs."""
    helpers = [
        subprocess.Popen(
            BOOT, env=desk.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(20)
    ]
    outputs = [helper.communicate(timeout=60) for helper in helpers]
    assert [helper.returncode for helper in helpers] == [0] * 20, outputs
    assert {output for output, _ in outputs} == {f"{desk.port}\n"}
    assert len(desk.bridges()) == 1


def test_a_mute_listener_is_skipped_and_holds_up_nobody_for_long(desk: Desk) -> None:
    """One on the base port that accepts and never answers: all six are served on the next port, in seconds."""
    with listener(desk.port):
        began = time.monotonic()
        helpers = [
            subprocess.Popen(BOOT, env=desk.environment, stdout=subprocess.PIPE, text=True) for _ in range(6)
        ]
        assert {helper.communicate(timeout=60)[0] for helper in helpers} == {f"{desk.port + 1}\n"}
        assert time.monotonic() - began < 30
        assert len(desk.bridges()) == 1


def test_a_listener_that_hangs_up_is_skipped(desk: Desk) -> None:
    """A plain TCP server that closes every connection."""
    with listener(desk.port) as server:

        def hang_up() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    connection.sendall(b"220 mail.example\r\n")
                    connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        try:
            assert desk.booted() == desk.port + 1
        finally:
            server.shutdown(2)
            thread.join()


def test_a_bridge_of_another_database_or_mode_or_token_is_skipped(
    database_url: str, empty_database_url: str
) -> None:
    """Three bridges that are not ours in a row: ours is started after them, and found again from then on."""
    with open_desk(WAYMARK_DATABASE_URL=database_url) as desk:
        desk.serving_bridge(desk.port, WAYMARK_DATABASE_URL=empty_database_url)
        desk.serving_bridge(desk.port + 1, WAYMARK_BRIDGE_IN_MEMORY="1")
        desk.serving_bridge(desk.port + 2, WAYMARK_BRIDGE_TOKEN="another")
        port = desk.booted()
        assert port > desk.port + 2
        assert desk.booted() == port
        assert desk.booted(WAYMARK_DATABASE_URL=empty_database_url) == desk.port
        assert desk.booted(WAYMARK_BRIDGE_TOKEN="another") == desk.port + 2


class Impostor(grpc.GenericRpcHandler):
    """Claims to be the bridge; passes the nonce on to the real one when it knows where that is."""

    def __init__(self, real: int | None) -> None:
        self._real = real

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[pb.IdentifyRequest, pb.IdentifyReply]:
        return grpc.unary_unary_rpc_method_handler(
            self._identify,
            request_deserializer=pb.IdentifyRequest.FromString,
            response_serializer=pb.IdentifyReply.SerializeToString,
        )

    def _identify(self, request: pb.IdentifyRequest, context: grpc.ServicerContext) -> pb.IdentifyReply:
        if self._real is None:
            identity = BridgeIdentity(BRIDGE_PROTOCOL_VERSION, MODE_MEMORY, "")
            return pb.IdentifyReply(
                protocol_version=BRIDGE_PROTOCOL_VERSION,
                mode=MODE_MEMORY,
                proof=identity.proof("guessed", request.nonce, 1),
            )
        with grpc.insecure_channel(f"127.0.0.1:{self._real}") as channel:
            reply: pb.IdentifyReply = channel.unary_unary(
                "/waymark.v1.WorkflowService/Identify",
                request_serializer=pb.IdentifyRequest.SerializeToString,
                response_deserializer=pb.IdentifyReply.FromString,
            )(request, timeout=5)
        return reply


@contextlib.contextmanager
def impostor(port: int, real: int | None) -> Iterator[None]:
    """A fake bridge on a port."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        server = grpc.server(pool, handlers=[Impostor(real)])
        assert server.add_insecure_port(f"127.0.0.1:{port}") == port
        server.start()
        yield
        server.stop(0).wait()


@pytest.mark.parametrize("passes_on", [False, True])
def test_a_fake_bridge_is_skipped(desk: Desk, passes_on: bool) -> None:
    """One that guesses the proof, and one that has the real bridge make it: the proof holds for its own port only."""
    if passes_on:
        desk.serving_bridge(desk.port + 1)
    with impostor(desk.port, desk.port + 1 if passes_on else None):
        assert desk.booted() == desk.port + 1


def test_a_killed_bridge_is_replaced_on_its_port(desk: Desk) -> None:
    """The next helper starts another one, and keeps the log of the dead one."""
    port = desk.booted()
    (first,) = desk.bridges()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: first not in desk.bridges(), 5, "end of the bridge")
    assert desk.booted() == port
    assert desk.bridges() != [first]
    assert "serving on" in (desk.runtime / f"bridge-{port}.log.old").read_text()


@pytest.mark.parametrize("option", ["--output-file", "--port-file"])
def test_the_port_goes_to_a_file_when_asked(desk: Desk, tmp_path: Path, option: str) -> None:
    """Whole, alone in the directory, and nothing is printed."""
    output = tmp_path / "port"
    done = desk.boot(option, str(output))
    assert (done.returncode, done.stdout) == (0, "")
    assert output.read_text() == f"{desk.port}\n"
    assert list(tmp_path.iterdir()) == [output]
    done = desk.boot(option, str(tmp_path / "missing" / "port"))
    assert done.returncode == 2
    assert "cannot be written: No such file or directory" in done.stderr


def test_the_base_port_has_two_names(desk: Desk) -> None:
    """WAYMARK_BRIDGE_BASE_PORT counts where WAYMARK_BRIDGE_GRPC_PORT is unset."""
    base = {"WAYMARK_BRIDGE_BASE_PORT": str(desk.port + 1)}
    assert desk.booted(WAYMARK_BRIDGE_GRPC_PORT="", **base) == desk.port + 1
    assert desk.booted(**base) == desk.port + 1  # found above the base that GRPC_PORT names


def test_no_free_port_is_an_error(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which were tried and what to set."""
    monkeypatch.setattr(singleton, "PORTS_TRIED", 1)
    with listener(desk.port), pytest.raises(BootError, match=f"every port from {desk.port} to {desk.port}"):
        singleton.find_or_start(load_client(desk.environment), desk.environment)
    assert desk.bridges() == []


def test_a_boot_call_is_quick_when_the_bridge_is_there(desk: Desk) -> None:
    """As quick as 25 Pythons that start and end, which is a third of a second when nothing else runs; the median is printed."""
    desk.booted()
    took, ratios = [], []
    for _ in range(7):
        start_s = python_start_s()
        began = time.perf_counter()
        desk.booted()
        took.append(time.perf_counter() - began)
        ratios.append(took[-1] / max(start_s, python_start_s()))
    print(
        f"boot call with a bridge present: median {median(took) * 1000:.0f} ms, {median(ratios):.0f} starts"
    )
    assert min(ratios) < 25


def test_the_helper_loads_nothing_heavy(desk: Desk) -> None:
    """No driver, no compiler, no models: it runs once in every process that starts its first run."""
    program = (
        "import sys, waymark.cli.boot_singleton, waymark.boot.singleton\n"
        "print([m for m in ('psycopg', 'pydantic', 'grpc', 'asyncio', 'waymark.compiler', 'waymark.sdk') if m in sys.modules])"
    )
    done = subprocess.run([BOOT[0], "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_database_that_is_away_is_one_clear_error() -> None:
    """The reason first, then the log and its last lines; exit code 2; no password anywhere; nothing is left running."""
    dsn = f"postgresql://ann:{CANARY}@127.0.0.1:1/shop"
    with open_desk(WAYMARK_DATABASE_URL=dsn, WAYMARK_BRIDGE_TOKEN=f"token-{CANARY}") as desk:
        began = time.monotonic()
        done = desk.boot()
        assert time.monotonic() - began < 15
        assert (done.returncode, done.stdout) == (2, "")
        last = done.stderr.rstrip().splitlines()[-1]
        assert last.startswith(
            "waymark-boot-singleton: the bridge ended with exit code 2: config: WAYMARK_DATABASE_URL names"
        )
        log = desk.runtime / f"bridge-{desk.port}.log"
        assert f"(log: {log})" in last
        assert "starting: " in done.stderr
        assert not desk.bridges()
        written = done.stderr + log.read_text()
        assert CANARY not in written


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        ("", "WAYMARK_DATABASE_URL is not set, so there is no bridge to find or start"),
        ("mysql://shop", "config: WAYMARK_DATABASE_URL must be a PostgreSQL address"),
    ],
)
def test_a_database_that_cannot_be_named_is_one_line(dsn: str, expected: str) -> None:
    """Nothing is started."""
    with open_desk(WAYMARK_DATABASE_URL=dsn) as desk:
        done = desk.boot()
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
        assert expected in done.stderr
        assert not desk.bridges()


def test_secrets_are_in_no_command_line(database_url: str) -> None:
    """Password and token travel by environment and file; log and runtime directory do not hold the password."""
    dsn = database_url + ("&" if "?" in database_url else "?") + f"application_name={CANARY}"
    with open_desk(WAYMARK_DATABASE_URL=dsn, WAYMARK_BRIDGE_TOKEN=f"token-{CANARY}") as desk:
        port = desk.booted(WAYMARK_LOG_LEVEL="DEBUG")
        (pid,) = desk.bridges()
        assert CANARY.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
        for file in desk.runtime.iterdir():
            assert CANARY not in file.read_text(), file
        assert "database_url=[redacted]" in (desk.runtime / f"bridge-{port}.log").read_text()
