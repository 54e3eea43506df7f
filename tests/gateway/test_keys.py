"""Keys: which are taken from a set, and how a set changes while it is used."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from gateway.keys import Keys, new_private_set, parse, private_jwk
from schemas.errors import ConfigurationError


def jwks(*members: dict[str, Any]) -> str:
    """Return a set of keys."""
    return json.dumps({"keys": list(members)})


def p256(kid: str, curve: ec.EllipticCurve | None = None, **more: Any) -> dict[str, Any]:
    """Return a public key on P-256, or another curve."""
    public = ec.generate_private_key(curve or ec.SECP256R1()).public_key()
    return {**ECAlgorithm.to_jwk(public, as_dict=True), "kid": kid, **more}


def rsa_key(kid: str, bits: int = 2048) -> dict[str, Any]:
    """Return a public RSA key."""
    public = rsa.generate_private_key(65_537, bits).public_key()
    return {**RSAAlgorithm.to_jwk(public, as_dict=True), "kid": kid}


def ed25519(kid: str) -> dict[str, Any]:
    """Return a private Ed25519 key."""
    return dict(json.loads(new_private_set(kid))["keys"][0])


def test_the_algorithm_follows_from_the_kind_of_key() -> None:
    """Each kind of key is good for one algorithm, whatever a token says."""
    found = parse(jwks(ed25519("a"), p256("b"), rsa_key("c")))
    assert {kid: key.algorithm for kid, key in found.items()} == {
        "a": "EdDSA",
        "b": "ES256",
        "c": "RS256",
    }


def test_shared_secrets_and_keys_for_other_uses_are_left_out() -> None:
    """Symmetric, for encryption, of another algorithm or curve, without a name: none of ours."""
    secret = {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"}
    others = (
        p256("enc", use="enc"),
        p256("other", alg="ES384"),
        p256("curve", ec.SECP384R1()),
        {**p256("x"), "kid": ""},
    )
    assert list(parse(jwks(secret, *others, p256("good")))) == ["good"]


@pytest.mark.parametrize(
    "text",
    ["no JSON", "[]", '{"keys": 1}', '{"keys": [1]}', '{"keys": []}',
     jwks({"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "!"})],
    ids=range(6),
)  # fmt: skip
def test_what_is_no_key_set_is_a_configuration_error(text: str) -> None:
    """A set that can't be used says so at the start, by the name of its setting."""
    with pytest.raises(ConfigurationError, match="token_keys"):
        parse(text)


def test_two_keys_of_one_name_and_short_keys_are_refused() -> None:
    """Which of two keys is meant must never be a guess, and 1024 bits can be broken."""
    with pytest.raises(ConfigurationError, match="two keys"):
        parse(jwks(p256("a"), p256("a")))
    with pytest.raises(ConfigurationError, match="shorter"):
        parse(jwks(rsa_key("a", 1024)))


def test_private_parts_are_for_signing_only() -> None:
    """A private set gives public keys to check with; a public one gives nothing to sign with."""
    text = new_private_set("development")
    assert not hasattr(parse(text)["development"].public, "sign")
    assert private_jwk(text)["kid"] == "development"
    with pytest.raises(ConfigurationError, match="signed elsewhere"):
        private_jwk(jwks(p256("a")))


def test_a_set_that_can_not_be_read_leaves_the_last_one(tmp_path: Path) -> None:
    """A rotation shows with the next reading; a broken or missing file changes nothing."""
    path = tmp_path / "keys.json"
    path.write_text(jwks(p256("a")))
    keys = Keys(str(path))
    for broken in ("{", None):
        if broken is None:
            path.unlink()
        else:
            path.write_text(broken)
        keys.reread()
        assert keys.find("a")
        assert keys.turn == 1
    path.write_text(jwks(p256("b")))
    keys.reread()
    assert keys.find("b")
    assert keys.find("a") is None
    assert keys.turn == 2


def test_a_missing_file_is_a_configuration_error(tmp_path: Path) -> None:
    """Without keys nothing starts."""
    with pytest.raises(ConfigurationError, match="can't be read"):
        Keys(str(tmp_path / "none.json"))
