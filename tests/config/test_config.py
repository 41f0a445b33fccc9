"""Settings from the environment: defaults, parsers, cross checks, and errors that say how to fix them."""

from __future__ import annotations

import pickle
import re
from dataclasses import fields
from pathlib import Path

import pytest

from waymark.config import TABLE, Program, load_bridge, load_client, load_start_workers, unknown_variables
from waymark.config.cpu import cpu_count
from waymark.errors import ConfigError
from waymark.model.settings import (
    Address,
    BridgeSettings,
    ClientSettings,
    Secret,
    StartWorkersSettings,
    describe,
)

DSN = "postgresql://ann:s3cret@db/shop"
REQUIRED = {"WAYMARK_DATABASE_URL": DSN}


def refusal(environment: dict[str, str]) -> str:
    with pytest.raises(ConfigError) as caught:
        load_start_workers({**REQUIRED, **environment})
    return str(caught.value)


def test_the_defaults_are_those_of_the_contract() -> None:
    """An environment with nothing but the DSN gives the documented defaults."""
    settings = load_start_workers(REQUIRED)
    assert settings.worker_count == settings.executor_shards == cpu_count()
    assert settings.concurrent_per_worker == 10
    assert settings.max_concurrent_instances == settings.instance_done_batch_size == 500
    assert settings.user_module == ()
    assert settings.max_action_lifecycle is None
    assert settings.webapp_enabled is False
    assert settings.webapp_addr == Address("0.0.0.0", 24119)
    assert settings.worker_grpc_addr == Address("127.0.0.1", 24118)
    assert settings.poll_interval_ms == 100
    assert settings.persist_interval_ms == 500
    assert (settings.lock_ttl_ms, settings.lock_heartbeat_ms) == (15000, 5000)
    assert settings.evict_sleep_threshold_ms == 10000
    assert settings.expired_lock_reclaimer_interval_ms == 15000
    assert settings.expired_lock_reclaimer_batch_size == 1000
    assert (settings.scheduler_poll_interval_ms, settings.scheduler_batch_size) == (1000, 100)
    assert settings.runner_profile_interval_ms == 5000
    assert settings.garbage_collector_retention_hours == 24
    assert settings.garbage_collector_interval_ms == 300000
    assert settings.garbage_collector_batch_size == 100
    assert settings.log_level == "INFO"
    assert settings.webapp_token is None
    assert settings.worker_command is None


@pytest.mark.parametrize(
    ("program", "record"),
    [
        (Program.START_WORKERS, StartWorkersSettings),
        (Program.BRIDGE, BridgeSettings),
        (Program.CLIENT, ClientSettings),
    ],
)
def test_every_field_has_one_row_of_the_table(program: Program, record: type) -> None:
    """Table and records cannot drift apart."""
    rows = [variable.field for variable in TABLE if program in variable.programs]
    helpers = {"bridge_base_port"}
    assert len(rows) == len(set(rows))
    assert set(rows) - helpers == {field.name for field in fields(record)}


def test_every_variable_of_the_contract_page_is_in_the_table() -> None:
    """CONFIGURATION.md and the table name the same variables, where the page is at hand."""
    page = Path("/work/shared/CONFIGURATION.md")
    if not page.exists():
        pytest.skip("the contract page is not part of the repository")
    named = set(re.findall(r"^\| `(WAYMARK_\w+)`", page.read_text(), re.MULTILINE))
    assert named == {variable.name for variable in TABLE}


def test_an_empty_variable_counts_as_unset() -> None:
    """Empty means unset, also for numbers."""
    settings = load_start_workers({**REQUIRED, "WAYMARK_POLL_INTERVAL_MS": "", "WAYMARK_USER_MODULE": " "})
    assert settings.poll_interval_ms == 100
    assert settings.user_module == ()


def test_a_missing_database_says_how_to_set_it() -> None:
    """The required variable is named with an example."""
    with pytest.raises(
        ConfigError, match=r"^config: WAYMARK_DATABASE_URL is not set; set it to postgresql://"
    ):
        load_start_workers({})
    with pytest.raises(ConfigError, match="or set WAYMARK_BRIDGE_IN_MEMORY=1"):
        load_bridge({})
    assert load_bridge({"WAYMARK_BRIDGE_IN_MEMORY": "on"}).database_url is None


@pytest.mark.parametrize("word", ["1", "true", "YES", "On"])
def test_words_that_mean_true(word: str) -> None:
    """Booleans are read in any case."""
    assert load_bridge({**REQUIRED, "WAYMARK_BRIDGE_IN_MEMORY": word}).bridge_in_memory is True


@pytest.mark.parametrize("word", ["0", "false", "NO", "Off"])
def test_words_that_mean_false(word: str) -> None:
    """Booleans are read in any case."""
    assert load_bridge({**REQUIRED, "WAYMARK_BRIDGE_IN_MEMORY": word}).bridge_in_memory is False


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("WAYMARK_WEBAPP_ENABLED", "maybe", 'must be one of 1 true yes on / 0 false no off, got "maybe"'),
        ("WAYMARK_WORKER_COUNT", "0", 'must be a whole number of at least 1 and at most 10000, got "0"'),
        ("WAYMARK_WORKER_COUNT", "1_0", 'must be a whole number of at least 1 and at most 10000, got "1_0"'),
        ("WAYMARK_MAX_ACTION_LIFECYCLE", "-1", 'must be a whole number of at least 1, got "-1"'),
        ("WAYMARK_LOCK_TTL_MS", "5s", 'must be whole milliseconds above 0, got "5s"; write 5000'),
        ("WAYMARK_POLL_INTERVAL_MS", "0", 'must be whole milliseconds above 0, got "0"'),
        ("WAYMARK_POLL_INTERVAL_MS", "0.5", 'must be whole milliseconds above 0, got "0.5"'),
        (
            "WAYMARK_WEBAPP_ADDR",
            "24119",
            'must be host:port or [v6]:port, got "24119"; write 127.0.0.1:24119',
        ),
        ("WAYMARK_WEBAPP_ADDR", "::1:80", 'must be host:port or [v6]:port, got "::1:80"; write [::1:80]'),
        ("WAYMARK_WEBAPP_ADDR", "h:70000", "with a port from 0 to 65535"),
        ("WAYMARK_WEBAPP_ADDR", ":80", "must be host:port"),
        ("WAYMARK_USER_MODULE", "shop/flows.py", "must be importable module names separated by commas"),
        ("WAYMARK_WORKER_COMMAND", "python 'x", "must be a command in shell words (No closing quotation)"),
        ("WAYMARK_LOG_LEVEL", "loud", 'must be one of DEBUG INFO WARNING ERROR CRITICAL, got "loud"'),
        ("WAYMARK_LOG_LEVEL", "a\nb", 'got "a\\nb"'),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_with_what_is_accepted(
    name: str, value: str, message: str
) -> None:
    """An error is one line with the variable, the value and what is accepted."""
    text = refusal({name: value})
    assert text.startswith(f"config: {name} must be ")
    assert message in text
    assert "\n" not in text


def test_no_error_quotes_a_secret() -> None:
    """A DSN or token that is refused does not appear in the message."""
    with pytest.raises(ConfigError) as caught:
        load_start_workers({"WAYMARK_DATABASE_URL": "mysql://ann:s3cret@db"})
    assert "s3cret" not in str(caught.value)
    assert "must be a PostgreSQL address; write postgresql://" in str(caught.value)
    assert "t\u00f6ken" not in refusal({"WAYMARK_WEBAPP_TOKEN": "t\u00f6ken"})


def test_a_secret_shows_itself_only_when_asked() -> None:
    """repr, str, format and pickle of a secret give nothing away."""
    secret = Secret("s3cret")
    assert f"{secret} {secret!r} {secret!s}" == "[redacted] [redacted] [redacted]"
    assert secret.reveal() == "s3cret"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_the_description_of_settings_holds_no_secret() -> None:
    """The start-up line shows every setting, secrets redacted."""
    line = describe(load_start_workers({**REQUIRED, "WAYMARK_WEBAPP_TOKEN": "hush"}))
    assert "database_url=[redacted]" in line
    assert "webapp_token=[redacted]" in line
    assert "worker_grpc_addr=127.0.0.1:24118" in line
    assert "worker_command=unset" in line
    assert "s3cret" not in line
    assert "hush" not in line


@pytest.mark.parametrize(
    ("text", "address", "loopback"),
    [
        ("127.0.0.1:0", Address("127.0.0.1", 0), True),
        ("[::1]:80", Address("::1", 80), True),
        ("[::]:80", Address("::", 80), False),
        ("localhost:5", Address("localhost", 5), True),
        ("0.0.0.0:5", Address("0.0.0.0", 5), False),
    ],
)
def test_addresses_round_trip(text: str, address: Address, loopback: bool) -> None:
    """IPv4, names and bracketed IPv6 are read and written the same."""
    read = load_start_workers({**REQUIRED, "WAYMARK_WORKER_GRPC_ADDR": text}).worker_grpc_addr
    assert read == address
    assert str(read) == text
    assert read.is_loopback is loopback


def test_a_lease_must_outlive_two_heartbeats() -> None:
    """TTL and heartbeat are checked against each other."""
    text = refusal({"WAYMARK_LOCK_TTL_MS": "9999"})
    assert text == (
        "config: WAYMARK_LOCK_TTL_MS must be at least 2 times WAYMARK_LOCK_HEARTBEAT_MS (5000), "
        "got 9999; write 10000, or lower the heartbeat"
    )
    both = {"WAYMARK_LOCK_TTL_MS": "400", "WAYMARK_LOCK_HEARTBEAT_MS": "200"}
    assert load_start_workers({**REQUIRED, **both}).lock_ttl_ms == 400


def test_a_bridge_that_others_reach_needs_a_token() -> None:
    """A non-loopback bind address without a token is refused."""
    environment = {**REQUIRED, "WAYMARK_BRIDGE_GRPC_ADDR": "0.0.0.0:24117"}
    with pytest.raises(ConfigError, match="must be a loopback address unless WAYMARK_BRIDGE_TOKEN is set"):
        load_bridge(environment)
    assert load_bridge({**environment, "WAYMARK_BRIDGE_TOKEN": "t"}).bridge_token == Secret("t")


def test_the_base_port_counts_only_without_a_port() -> None:
    """WAYMARK_BRIDGE_GRPC_PORT wins over WAYMARK_BRIDGE_BASE_PORT, which wins over the default."""
    assert load_client({}).bridge_grpc_port == 24117
    assert load_client({"WAYMARK_BRIDGE_BASE_PORT": "5000"}).bridge_grpc_port == 5000
    both = {"WAYMARK_BRIDGE_BASE_PORT": "5000", "WAYMARK_BRIDGE_GRPC_PORT": "6000"}
    assert load_client(both).bridge_grpc_port == 6000


def test_commands_and_modules_are_split() -> None:
    """Shell words for commands, commas for modules."""
    settings = load_start_workers(
        {
            **REQUIRED,
            "WAYMARK_WORKER_COMMAND": "uv run 'my worker'",
            "WAYMARK_USER_MODULE": "shop.flows, jobs,",
        }
    )
    assert settings.worker_command == ("uv", "run", "my worker")
    assert settings.user_module == ("shop.flows", "jobs")


def test_an_unknown_variable_is_named_with_the_nearest_one() -> None:
    """A misspelt variable does not pass in silence."""
    warnings = unknown_variables(
        {"WAYMARK_WORKERS_COUNT": "3", "WAYMARK_XYZ": "1", "PATH": "/bin", **REQUIRED}
    )
    assert warnings == [
        "config: WAYMARK_WORKERS_COUNT is not a variable of this release and has no effect; "
        "did you mean WAYMARK_WORKER_COUNT?",
        "config: WAYMARK_XYZ is not a variable of this release and has no effect",
    ]


class TestCpuCount:
    """CPUs by affinity and by cgroup quota of both versions."""

    @pytest.fixture(autouse=True)
    def many_cpus(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(16)))

    def test_without_a_quota_affinity_decides(self, tmp_path: Path) -> None:
        """No cgroup file: the affinity mask alone."""
        assert cpu_count(root=tmp_path, membership=tmp_path / "missing") == 16

    def test_a_v2_quota_is_read_from_the_group_and_its_parents(self, tmp_path: Path) -> None:
        """The tightest limit on the way up holds; parts of a CPU round up."""
        (tmp_path / "membership").write_text("0::/a/b\n")
        (tmp_path / "a/b").mkdir(parents=True)
        (tmp_path / "a/b/cpu.max").write_text("max 100000\n")
        (tmp_path / "a/cpu.max").write_text("250000 100000\n")
        assert cpu_count(root=tmp_path, membership=tmp_path / "membership") == 3

    def test_a_v2_quota_inside_a_container_is_at_the_mount(self, tmp_path: Path) -> None:
        """A host path that does not exist below the mount is no obstacle."""
        (tmp_path / "membership").write_text("0::/docker/abc\n")
        (tmp_path / "cpu.max").write_text("50000 100000\n")
        assert cpu_count(root=tmp_path, membership=tmp_path / "membership") == 1

    def test_a_v1_quota_is_read(self, tmp_path: Path) -> None:
        """cfs quota over period; minus one means none."""
        (tmp_path / "membership").write_text("4:cpu,cpuacct:/x\n3:memory:/x\n")
        (tmp_path / "cpu/x").mkdir(parents=True)
        (tmp_path / "cpu/x/cpu.cfs_quota_us").write_text("400000\n")
        (tmp_path / "cpu/x/cpu.cfs_period_us").write_text("100000\n")
        assert cpu_count(root=tmp_path, membership=tmp_path / "membership") == 4
        (tmp_path / "cpu/x/cpu.cfs_quota_us").write_text("-1\n")
        assert cpu_count(root=tmp_path, membership=tmp_path / "membership") == 16


def test_what_this_release_cannot_honour_is_not_accepted_in_silence() -> None:
    """The web page is refused, a setting without effect is warned of: P11."""
    environment = {"WAYMARK_DATABASE_URL": "postgresql://localhost/app"}
    with pytest.raises(
        ConfigError, match="WAYMARK_WEBAPP_ENABLED cannot be honoured, this release has no web page yet"
    ):
        load_start_workers({**environment, "WAYMARK_WEBAPP_ENABLED": "1"})
    assert unknown_variables({**environment, "WAYMARK_SCHEDULER_BATCH_SIZE": "5"}) == [
        "config: WAYMARK_SCHEDULER_BATCH_SIZE has no effect yet: what it is for comes with a later release"
    ]
