"""Who may log in.

The engine has one user with all rights, so accounts are ours: a file the supervisor writes and only
the owner may read, never the command line or the environment, where other processes can see them.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, RootModel, ValidationError

from schemas.errors import ConfigurationError, Refused

AUTHENTICATION_FAILED = 516


class AccountEntry(BaseModel):
    """One account in the accounts file.

    Args:
        password: In clear; may be empty for a read-only account on 127.0.0.1.
        readonly: May only read, within the caps of `limits.READ_ONLY_CAPS`.
        databases: The only databases it may name besides `system`; None for all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    password: str
    readonly: bool
    databases: tuple[str, ...] | None = None


class _AccountFile(RootModel[dict[str, AccountEntry]]):
    """The accounts file: user name → account."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who has logged in.

    Args:
        name: User name.
        read_only: May not write.
        databases: The only ones it may name, the first is its default; None for all.
    """

    name: str
    read_only: bool
    databases: tuple[str, ...] | None


class Accounts:
    """Everybody who may log in.

    Args:
        entries: User name → account.
    """

    def __init__(self, entries: Mapping[str, AccountEntry]) -> None:
        self._known = {
            name: (_digest(entry.password), Account(name, entry.readonly, entry.databases))
            for name, entry in entries.items()
        }

    def authenticate(self, name: str, password: str) -> Account:
        """Return the account of these credentials.

        The time it takes depends neither on the password nor on whether the user exists.

        Raises:
            Refused: Code 516, in the same words for a wrong password and an unknown user.
        """
        digest, account = self._known.get(name, (bytes(32), None))
        matches = hmac.compare_digest(digest, _digest(password))
        if account is None or not matches:
            raise Refused(
                AUTHENTICATION_FAILED,
                f"{name}: Authentication failed: password is incorrect, or there is no such user",
            )
        return account


def read_accounts(path: Path) -> Accounts:
    """Read the accounts file.

    Args:
        path: JSON, user name → `{"password": …, "readonly": …, "databases": […]}`.

    Raises:
        ConfigurationError: It can't be read, isn't of this form or names nobody. Never quotes it.
    """
    try:
        entries = _AccountFile.model_validate(json.loads(path.read_text("utf-8"))).root
    except OSError as error:
        raise ConfigurationError("--accounts", f"cannot be read: {error.strerror}") from None
    except ValidationError as error:
        where = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors())
        raise ConfigurationError("--accounts", f"has a wrong form at {where}") from None
    except ValueError:
        raise ConfigurationError("--accounts", "is not JSON in UTF-8") from None
    if not entries:
        raise ConfigurationError("--accounts", "names no account")
    return Accounts(entries)


def _digest(password: str) -> bytes:
    return hashlib.sha256(password.encode()).digest()
