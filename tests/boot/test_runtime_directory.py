"""The runtime directory and what is in it belong to one user, or are refused."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from waymark.boot.runtime_directory import runtime_directory, user_token
from waymark.boot.singleton import _locked
from waymark.errors import BootError


@pytest.fixture
def base(tmp_path: Path) -> dict[str, str]:
    """An environment with a runtime directory of its own."""
    return {"XDG_RUNTIME_DIR": str(tmp_path)}


def test_directory_and_token_are_for_their_owner_only(base: dict[str, str]) -> None:
    """0700 and 0600, whatever the umask; the token stays the same."""
    before = os.umask(0)
    try:
        directory = runtime_directory(base)
        token = user_token(directory)
    finally:
        os.umask(before)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "token").stat().st_mode) == 0o600
    assert len(token) == 64
    assert user_token(runtime_directory(base)) == token
    assert [entry.name for entry in directory.iterdir()] == ["token"]


def test_all_who_make_the_token_at_once_end_with_one(base: dict[str, str]) -> None:
    """The first wins; nobody reads half of it."""
    directory = runtime_directory(base)
    for _ in range(50):
        (directory / "token").unlink(missing_ok=True)
        barrier = threading.Barrier(8)
        found: list[str] = []

        def read(barrier: threading.Barrier = barrier, found: list[str] = found) -> None:
            barrier.wait()
            found.append(user_token(directory))

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8
        assert len(set(found)) == 1
    assert [entry.name for entry in directory.iterdir()] == ["token"]


def test_a_symlinked_directory_is_refused(base: dict[str, str], tmp_path: Path) -> None:
    """Somebody may have made it point to where they can read."""
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "waymark").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BootError, match="is not yours alone; remove it, or set XDG_RUNTIME_DIR"):
        runtime_directory(base)


def test_a_directory_that_others_may_enter_is_refused(base: dict[str, str], tmp_path: Path) -> None:
    """Its mode must be 0700."""
    (tmp_path / "waymark").mkdir()
    (tmp_path / "waymark").chmod(0o755)
    with pytest.raises(BootError, match="is not yours alone"):
        runtime_directory(base)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_somebody_else_is_refused(base: dict[str, str], tmp_path: Path) -> None:
    """Whoever was first in a shared temporary directory."""
    (tmp_path / "waymark").mkdir(mode=0o700)
    os.chown(tmp_path / "waymark", 12345, -1)
    with pytest.raises(BootError, match="is not yours alone"):
        runtime_directory(base)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_token_of_somebody_else_is_refused(base: dict[str, str]) -> None:
    """They would know it."""
    directory = runtime_directory(base)
    user_token(directory)
    os.chown(directory / "token", 12345, -1)
    with pytest.raises(BootError, match="token is not yours alone; remove it"):
        user_token(directory)


def test_a_symlinked_token_is_refused(base: dict[str, str], tmp_path: Path) -> None:
    """It is not followed, wherever it leads."""
    directory = runtime_directory(base)
    (tmp_path / "target").write_text("0" * 64)
    (directory / "token").symlink_to(tmp_path / "target")
    with pytest.raises(BootError, match="cannot be used: Too many levels of symbolic links; remove it"):
        user_token(directory)


@pytest.mark.parametrize("text", ["", "short", "x" * 64, "0" * 63, "0" * 65])
def test_a_token_file_without_a_token_is_refused(base: dict[str, str], text: str) -> None:
    """An empty token would let everybody in."""
    directory = runtime_directory(base)
    (directory / "token").touch(mode=0o600)
    (directory / "token").write_text(text)
    with pytest.raises(BootError, match="holds no token; remove it"):
        user_token(directory)


def test_a_token_that_others_may_read_is_refused(base: dict[str, str]) -> None:
    """Its mode must be 0600."""
    directory = runtime_directory(base)
    user_token(directory)
    (directory / "token").chmod(0o644)
    with pytest.raises(BootError, match="not yours alone"):
        user_token(directory)


def test_a_symlinked_lock_is_refused(base: dict[str, str], tmp_path: Path) -> None:
    """Nothing outside of the directory is made or locked."""
    directory = runtime_directory(base)
    (directory / "boot.lock").symlink_to(tmp_path / "target")
    with pytest.raises(BootError, match=r"lock file .* cannot be used"), _locked(directory / "boot.lock"):
        pass
    assert not (tmp_path / "target").exists()


def test_without_a_runtime_directory_the_temporary_one_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named after the user, so that two users never meet."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert runtime_directory({}) == tmp_path / f"waymark-{os.getuid()}"
    assert runtime_directory({"XDG_RUNTIME_DIR": "/does/not/exist"}) == tmp_path / f"waymark-{os.getuid()}"
