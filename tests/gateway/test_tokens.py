"""Tokens: what opens a connection, and everything that doesn't."""

import base64
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from gateway.keys import Keys, new_private_set, private_jwk
from gateway.protocol.codes import TOKEN_EXPIRED, UNAUTHORIZED
from gateway.tokens import LEEWAY_S, MAX_LIFETIME_S, Signer, Tokens
from schemas.errors import Refused

NOW_MS = 1_800_000_000_000
NOW_S = NOW_MS // 1000
SET = new_private_set("ours")
JWK = private_jwk(SET)
PRIVATE = jwt.PyJWK(dict(JWK)).key
SIGNER = Signer(JWK, "daybook", "daybook")
CLAIMS: dict[str, Any] = {
    "iss": "daybook", "aud": "daybook", "sub": "anna", "tenant": "acme",
    "iat": NOW_S, "exp": NOW_S + 3600, "roles": ["agent"], "jti": "t-1",
}  # fmt: skip


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """The set with our key."""
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    path.write_text(SET)
    return Keys(str(path))


@pytest.fixture
def tokens(keys: Keys) -> Tokens:
    """An authority that knows our key."""
    return Tokens(keys, "daybook", "daybook")


def signed(*, without: str = "", headers: dict[str, Any] | None = None, **changed: Any) -> str:
    """Return a token signed with our key, with claims changed or left out."""
    payload = {name: value for name, value in (CLAIMS | changed).items() if name != without}
    return jwt.encode(
        payload, PRIVATE, algorithm="EdDSA", headers={"kid": "ours"} | (headers or {})
    )


def code(tokens: Tokens, token: str, now_ms: int = NOW_MS) -> int:
    """Return the code a token is refused with."""
    with pytest.raises(Refused) as refused:
        tokens.claims(token, now_ms)
    return refused.value.code


def part(value: object) -> str:
    """Return one part of a token that is put together by hand."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_token_of_ours_says_who_it_is(tokens: Tokens) -> None:
    """What was signed is what is read."""
    claims = tokens.claims(signed(channels=["chat:lobby"]), NOW_MS)
    assert (claims.tenant, claims.user, claims.roles) == ("acme", "anna", frozenset({"agent"}))
    assert (claims.issued_ms, claims.expires_ms) == (NOW_MS, NOW_MS + 3_600_000)
    assert (claims.token_id, claims.channels) == ("t-1", ("chat:lobby",))


@pytest.mark.parametrize("claim", ["exp", "iat", "sub", "aud", "iss", "tenant"])
def test_each_required_claim_is_required(tokens: Tokens, claim: str) -> None:
    """A token that leaves one of them open is refused."""
    assert code(tokens, signed(without=claim)) == UNAUTHORIZED.code


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "somebody"}, {"aud": "another"}, {"tenant": "Acme"}, {"tenant": "a|b"},
        {"tenant": ""},
        {"tenant": "acme\n"}, {"sub": ""}, {"sub": 7}, {"sub": "x" * 129}, {"roles": "agent"},
        {"roles": [1]}, {"exp": "soon"}, {"exp": True}, {"exp": float("inf")}, {"iat": -1},
        {"channels": ["c"] * 129},
    ],
    ids=str,
)  # fmt: skip
def test_claims_of_a_wrong_form_are_refused(tokens: Tokens, changed: dict[str, Any]) -> None:
    """Another issuer or audience, and whatever isn't of its type, opens nothing."""
    assert code(tokens, signed(**changed)) == UNAUTHORIZED.code


def test_a_token_runs_out_by_the_time_passed_in(tokens: Tokens) -> None:
    """It is good until `exp`, also when its signature was checked before."""
    token = signed()
    tokens.claims(token, NOW_MS + 3_599_999)
    assert code(tokens, token, NOW_MS + 3_600_000) == TOKEN_EXPIRED.code


def test_a_token_from_the_future_is_refused(tokens: Tokens) -> None:
    """A clock may be a minute ahead, no more; `nbf` counts too."""
    ahead = NOW_S + LEEWAY_S
    tokens.claims(signed(iat=ahead), NOW_MS)
    assert code(tokens, signed(iat=ahead + 1)) == UNAUTHORIZED.code
    assert code(tokens, signed(nbf=ahead + 1)) == UNAUTHORIZED.code


def test_no_token_is_good_for_longer_than_revocations_are_remembered(tokens: Tokens) -> None:
    """A month and a bit at most, and never less than nothing."""
    tokens.claims(signed(exp=NOW_S + MAX_LIFETIME_S), NOW_MS)
    assert code(tokens, signed(exp=NOW_S + MAX_LIFETIME_S + 1)) == UNAUTHORIZED.code
    assert code(tokens, signed(exp=NOW_S)) == UNAUTHORIZED.code


def test_unsigned_tokens_are_refused(tokens: Tokens) -> None:
    """`none`, in any spelling, is no algorithm."""
    for name in ("none", "None", "NONE", ""):
        token = f"{part({'alg': name, 'kid': 'ours', 'typ': 'JWT'})}.{part(CLAIMS)}."
        assert code(tokens, token) == UNAUTHORIZED.code


def test_the_public_key_is_no_shared_secret(tokens: Tokens) -> None:
    """A token signed by HMAC with our public key as the secret is refused."""
    import hashlib
    import hmac

    secret = PRIVATE.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    head = f"{part({'alg': 'HS256', 'kid': 'ours', 'typ': 'JWT'})}.{part(CLAIMS)}"
    mac = base64.urlsafe_b64encode(hmac.digest(secret, head.encode(), hashlib.sha256))
    assert code(tokens, f"{head}.{mac.rstrip(b'=').decode()}") == UNAUTHORIZED.code


@pytest.mark.parametrize("kid", ["theirs", "", None, 7, "../ours"], ids=str)
def test_the_key_is_one_of_our_set(tokens: Tokens, kid: object) -> None:
    """A `kid` that isn't in the set names no key, whatever signed the token."""
    head = part({"alg": "EdDSA", "kid": kid})
    assert code(tokens, f"{head}.{signed().split('.', 1)[1]}") == UNAUTHORIZED.code


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "crit"])
def test_keys_in_the_token_are_refused(tokens: Tokens, name: str) -> None:
    """A token that brings its key, or says where it is, is refused even when ours signed it."""
    given: object = ["exp"] if name == "crit" else {"kty": "OKP"}
    assert code(tokens, signed(headers={name: given})) == UNAUTHORIZED.code


def test_somebody_elses_signature_is_refused(tokens: Tokens) -> None:
    """The same claims under the same `kid`, signed by another key."""
    other = Signer(private_jwk(new_private_set("ours")), "daybook", "daybook")
    token = other.sign("acme", "anna", ["agent"], now_ms=NOW_MS, ttl_s=60)
    assert code(tokens, token) == UNAUTHORIZED.code


def test_a_changed_payload_is_refused(tokens: Tokens) -> None:
    """A signature is good for what was signed."""
    head, _, mac = signed().split(".")
    forged = f"{head}.{part(CLAIMS | {'roles': ['admin']})}.{mac}"
    assert code(tokens, forged) == UNAUTHORIZED.code


def test_a_long_token_is_not_even_read(tokens: Tokens) -> None:
    """Above 4 KB nothing is decoded, however well it is signed."""
    assert code(tokens, signed(more="x" * 4096)) == UNAUTHORIZED.code


def test_a_grant_opens_no_connection_and_a_connection_is_no_grant(tokens: Tokens) -> None:
    """A token for one channel is good for that alone."""
    grant = SIGNER.grant("acme", "anna", "task:7", now_ms=NOW_MS, ttl_s=60)
    found = tokens.grant(grant, NOW_MS)
    assert (found.tenant, found.user, found.channel) == ("acme", "anna", "task:7")
    assert found.expires_ms == NOW_MS + 60_000
    assert code(tokens, grant) == UNAUTHORIZED.code
    with pytest.raises(Refused):
        tokens.grant(signed(), NOW_MS)


def test_a_key_taken_out_of_the_set_is_good_for_nothing(tmp_path: Path) -> None:
    """Also a token that was checked before its key went is refused."""
    path = tmp_path / "keys.json"
    path.write_text(SET)
    keys = Keys(str(path))
    tokens = Tokens(keys, "daybook", "daybook")
    token = signed()
    tokens.claims(token, NOW_MS)
    path.write_text(new_private_set("next"))
    keys.reread()
    assert code(tokens, token) == UNAUTHORIZED.code


@given(st.one_of(st.text(max_size=300), st.lists(st.text(max_size=60), max_size=4).map(".".join)))
def test_no_text_breaks_the_check(keys: Keys, text: str) -> None:
    """Whatever is sent as a token is refused, and nothing else happens."""
    assert code(Tokens(keys, "daybook", "daybook"), text) == UNAUTHORIZED.code
