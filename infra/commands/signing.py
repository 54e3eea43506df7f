"""The signer of the settings' key set: for `daybook token`, `daybook listen` and the sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.keys import private_jwk
from gateway.tokens import Signer
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from infra.settings import Settings


def signer(settings: Settings) -> Signer:
    """Return a signer with the private key of the settings' key set.

    Raises:
        ConfigurationError: There is no such file, or it holds no private key.
    """
    from pathlib import Path

    path = Path(settings.token_key_set)
    try:
        text = path.read_bytes()
    except OSError as problem:
        raise ConfigurationError(
            "DAYBOOK_TOKEN_KEYS",
            f"{path} can't be read ({problem.strerror}); `daybook dev up` makes a key",
        ) from None
    return Signer(private_jwk(text), settings.token_issuer, settings.token_audience)
