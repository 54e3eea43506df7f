"""The keys tokens are checked with: a JWK Set from a file or a URL, read again now and then.

What a key is says with which algorithm its signatures are checked; a token is never asked. Checking
computes only: reading goes on in a thread, and the last set that could be read stays good.

Source: docs/realtime.md, "Tokens".
"""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from schemas.errors import ConfigurationError, Unavailable

log = structlog.get_logger(__name__)

REREAD_S = 60.0
UNKNOWN_KEY_S = 5.0
"""A token of an unknown key makes us read again, but not more often: anybody can send such."""
TIMEOUT_S = 5.0
MAX_SET_BYTES = 256 * 1024
MIN_RSA_BITS = 2048

_ALGORITHMS = {("OKP", "Ed25519"): "EdDSA", ("EC", "P-256"): "ES256", ("RSA", None): "RS256"}


@dataclass(frozen=True, slots=True)
class Key:
    """One public key.

    Args:
        kid: Its name in the set.
        algorithm: The only one its signatures are checked with.
        public: As PyJWT takes it.
    """

    kid: str
    algorithm: str
    public: Any


def parse(text: bytes | str) -> dict[str, Key]:
    """Read a JWK Set; keys that aren't for signatures, or of a kind we don't check, are left out.

    Returns:
        kid → key.

    Raises:
        ConfigurationError: It is no JWK Set, two keys share a name, or no key is left.
    """
    found: dict[str, Key] = {}
    for each in _members(text):
        key = _key(each)
        if key is None:
            continue
        if key.kid in found:
            raise ConfigurationError("token_keys", f"two keys are called {key.kid}")
        found[key.kid] = key
    if not found:
        raise ConfigurationError("token_keys", "no Ed25519, P-256 or RSA key with a `kid`")
    return found


def private_jwk(text: bytes | str) -> Mapping[str, Any]:
    """Return the first private Ed25519 key of a set, which tokens are signed with.

    Raises:
        ConfigurationError: It holds none.
    """
    for each in _members(text):
        if (each.get("kty"), each.get("crv")) == ("OKP", "Ed25519") and each.get("d"):
            return each
    raise ConfigurationError("token_keys", "no private Ed25519 key: tokens are signed elsewhere")


def new_private_set(kid: str) -> str:
    """Return a JWK Set with a new private Ed25519 key, for development and tests."""
    jwk = OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate(), as_dict=True)
    return json.dumps({"keys": [{**jwk, "kid": kid, "use": "sig"}]}, indent=1) + "\n"


class Keys:
    """A set that is read again in a thread.

    Args:
        where: File, or `https://…` of an identity provider (its `jwks_uri`).
        reread_s: Between two readings, s.

    Attributes:
        turn: Grows with every set that differs from the one before.

    Raises:
        ConfigurationError: The file isn't there, or holds no set.
        Unavailable: The URL does not answer.
    """

    def __init__(self, where: str, reread_s: float = REREAD_S) -> None:
        self._where, self._reread_s = where, reread_s
        self._text = _read(where)
        self._keys = parse(self._text)
        self._wanted = threading.Event()
        self._closed = threading.Event()
        self.turn = 1

    def start(self) -> None:
        """Begin to read again."""
        threading.Thread(target=self._follow, name="token-keys", daemon=True).start()

    def close(self) -> None:
        """Stop reading again."""
        self._closed.set()
        self._wanted.set()

    def find(self, kid: str) -> Key | None:
        """Return a key; one that isn't there may be soon: the set is read again."""
        key = self._keys.get(kid)
        if key is None:
            self._wanted.set()
        return key

    def reread(self) -> None:
        """Read the set again; one that can't be read changes nothing."""
        try:
            text = _read(self._where)
            if text == self._text:
                return
            keys = parse(text)
        except (ConfigurationError, Unavailable) as problem:
            log.warning("token_keys_not_read", problem=str(problem))
            return
        self._keys, self._text = keys, text
        self.turn += 1
        log.info("token_keys_changed", kids=sorted(keys))

    def _follow(self) -> None:
        while not self._closed.wait(UNKNOWN_KEY_S):
            self._wanted.wait(self._reread_s)
            self._wanted.clear()
            if not self._closed.is_set():
                self.reread()


def _members(text: bytes | str) -> list[dict[str, Any]]:
    try:
        given = json.loads(text)
    except ValueError:
        raise ConfigurationError("token_keys", "this is no JSON") from None
    members = given.get("keys") if isinstance(given, dict) else None
    if not isinstance(members, list) or not all(isinstance(each, dict) for each in members):
        raise ConfigurationError("token_keys", 'this is no JWK Set: {"keys": […]}')
    return members


def _key(jwk: Mapping[str, Any]) -> Key | None:
    """Return a key that signatures may be checked with; None for any other."""
    kid, curve = jwk.get("kid"), jwk.get("crv")
    algorithm = _ALGORITHMS.get((str(jwk.get("kty")), curve if curve is None else str(curve)))
    if not kid or not isinstance(kid, str) or algorithm is None:
        return None
    if jwk.get("use", "sig") != "sig" or jwk.get("alg", algorithm) != algorithm:
        return None
    public = {name: value for name, value in jwk.items() if name not in _PRIVATE}
    try:
        key = jwt.PyJWK(public, algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError):
        raise ConfigurationError("token_keys", f"key {kid} can't be read") from None
    if algorithm == "RS256" and key.key_size < MIN_RSA_BITS:
        raise ConfigurationError("token_keys", f"key {kid} is shorter than {MIN_RSA_BITS} bits")
    return Key(kid, algorithm, key)


_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})


def _read(where: str) -> bytes:
    if not where.startswith(("http://", "https://")):
        try:
            return Path(where).read_bytes()
        except OSError as problem:
            detail = f"{where} can't be read: {problem.strerror}"
            raise ConfigurationError("token_keys", detail) from None
    try:
        with urllib.request.urlopen(where, timeout=TIMEOUT_S) as answer:  # noqa: S310 - checked above
            text: bytes = answer.read(MAX_SET_BYTES + 1)
    except (OSError, ValueError, urllib.error.URLError) as problem:
        raise Unavailable("the token keys", UNKNOWN_KEY_S, f"{where}: {problem}") from None
    if len(text) > MAX_SET_BYTES:
        raise ConfigurationError("token_keys", f"{where} is larger than {MAX_SET_BYTES} bytes")
    return text
