"""Two databases never share a fingerprint, and a proof holds for one bridge, one nonce and one port."""

from __future__ import annotations

import itertools

import pytest

from waymark.model.identity import BridgeIdentity, database_fingerprint

DSNS = [
    "postgresql://ann@db/shop",
    "postgresql://bob@db/shop",
    "postgresql://ann@db/store",
    "postgresql://ann@db:6432/shop",
    "postgresql://ann@db,other/shop",
    "postgresql://ann@db:1,db:2/shop",
    "postgresql://ann@[::1]:5432/shop",
    "postgresql://ann@%2Fvar%2Frun/shop",
    "postgresql://ann@%2FVAR%2Frun/shop",
    "postgresql://ann@db/shop?host=/run/other",
    "postgresql://ann@db/shop?service=x",
    "postgresql://ann@db/shop?options=-csearch_path%3Dx",
    "postgresql:///shop",
    "postgresql://",
    "postgresql://ann@db:not-a-port/shop",
]


def test_every_database_has_its_own_fingerprint() -> None:
    """Also several hosts, sockets, and addresses that libpq will refuse."""
    for one, other in itertools.combinations(DSNS, 2):
        assert database_fingerprint(one, {}) != database_fingerprint(other, {}), (one, other)


def test_a_password_is_no_part_of_it() -> None:
    """A changed password is the same database, and the fingerprint tells nothing of it."""
    plain = database_fingerprint("postgresql://ann@db/shop", {})
    assert database_fingerprint("postgresql://ann:x@db/shop", {}) == plain
    assert database_fingerprint("postgresql://ann:p%40%2Fss@db/shop?sslmode=require", {}) == plain


@pytest.mark.parametrize("name", ["PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE"])
def test_what_the_address_leaves_out_comes_from_the_environment(name: str) -> None:
    """Two projects with `postgresql://` and different PG variables are two databases."""
    assert database_fingerprint("postgresql://", {name: "a"}) != database_fingerprint(
        "postgresql://", {name: "b"}
    )


def test_a_proof_holds_for_one_port_nonce_token_and_identity() -> None:
    """Nothing else can be shown with it."""
    identity = BridgeIdentity(1, "postgres", "abc")
    proof = identity.proof("token", b"nonce", 24117)
    assert identity.is_proved("token", b"nonce", 24117, proof)
    assert not identity.is_proved("token", b"nonce", 24118, proof)
    assert not identity.is_proved("token", b"other", 24117, proof)
    assert not identity.is_proved("other", b"nonce", 24117, proof)
    assert not BridgeIdentity(1, "memory", "abc").is_proved("token", b"nonce", 24117, proof)
    assert not BridgeIdentity(2, "postgres", "abc").is_proved("token", b"nonce", 24117, proof)
