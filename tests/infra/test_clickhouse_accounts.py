"""Accounts, and the settings a request runs with."""

import json
from pathlib import Path

import pytest

from infra.embedded.clickhouse.accounts import AccountEntry, Accounts, read_accounts
from infra.embedded.clickhouse.catalogue import build_catalogue
from infra.embedded.clickhouse.limits import (
    READ_ONLY_CAPS,
    capped,
    effective_settings,
    settings_of,
)
from schemas.errors import ConfigurationError, Refused

WORD = "correct horse"
CATALOGUE = build_catalogue(
    [], [], [(name, "UInt64") for name in (*READ_ONLY_CAPS, "join_use_nulls")], []
)


def test_right_password_logs_in() -> None:
    """The account that comes back is the one of the file."""
    accounts = Accounts({"bi": AccountEntry(password=WORD, readonly=True, databases=("r",))})
    account = accounts.authenticate("bi", WORD)
    assert (account.name, account.read_only, account.databases) == ("bi", True, ("r",))


@pytest.mark.parametrize(("user", "password"), [("bi", "wrong"), ("bi", ""), ("nobody", WORD)])
def test_wrong_password_or_user_is_code_516(user: str, password: str) -> None:
    """Neither a wrong password nor an unknown user logs in, not even with an empty password."""
    accounts = Accounts({"bi": AccountEntry(password=WORD, readonly=True)})
    with pytest.raises(Refused) as refusal:
        accounts.authenticate(user, password)
    assert refusal.value.code == 516


def test_accounts_are_read_from_a_file(tmp_path: Path) -> None:
    """The file of the supervisor makes accounts."""
    path = tmp_path / "accounts.json"
    path.write_text(json.dumps({"daybook": {"password": WORD, "readonly": False}}))
    assert not read_accounts(path).authenticate("daybook", WORD).read_only


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        "[]",
        f'{{"a": {{"password": "{WORD}"}}}}',
        f'{{"a": {{"password": "{WORD}", "readonly": true, "extra": 1}}}}',
    ],
)
def test_broken_file_is_one_line_without_passwords(tmp_path: Path, text: str) -> None:
    """An accounts file that can't be used is a configuration error that quotes nothing of it."""
    path = tmp_path / "accounts.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="--accounts") as error:
        read_accounts(path)
    assert WORD not in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_file_is_a_configuration_error(tmp_path: Path) -> None:
    """So is one that isn't there."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_accounts(tmp_path / "nothing.json")


def test_parameters_of_the_protocol_are_no_settings() -> None:
    """Only what isn't a parameter of the interface or a placeholder is a setting."""
    parameters = {"query": "x", "database": "d", "param_a": "1", "max_threads": "3"}
    assert settings_of(parameters) == {"max_threads": "3"}


def test_readonly_comes_last() -> None:
    """Nothing can be set behind `readonly`, so it is set last; a reader gets at least 2."""
    given = {"readonly": "0", "join_use_nulls": "1"}
    reader = effective_settings(given, CATALOGUE, read_only=True, writes=False)
    assert list(reader)[-1] == "readonly"
    assert reader["readonly"] == "2"
    assert reader["join_use_nulls"] == "1"
    strict = effective_settings({"readonly": "1"}, CATALOGUE, read_only=False, writes=True)
    assert strict == {"readonly": "1"}


def test_reader_is_capped_and_writer_is_not() -> None:
    """Caps hold for a reader whatever it asks; a writer's reads only have defaults."""
    given = {"max_memory_usage": "99999999999", "max_execution_time": "5"}
    reader = effective_settings(given, CATALOGUE, read_only=True, writes=False)
    assert (reader["max_memory_usage"], reader["max_execution_time"]) == ("2000000000", "5")
    assert set(READ_ONLY_CAPS) < set(reader)
    writer = effective_settings(given, CATALOGUE, read_only=False, writes=False)
    assert writer == given
    assert effective_settings({}, CATALOGUE, read_only=False, writes=True) == {}


@pytest.mark.parametrize("value", ["0", "-1", "", "inf", "nan", "1e99", "10G", "max"])
def test_unlimited_and_unreadable_values_become_the_cap(value: str) -> None:
    """What isn't a number between zero and the cap is the cap."""
    assert capped("max_execution_time", value) == "30"


def test_unknown_setting_is_refused() -> None:
    """A setting outside the catalogue is refused with ClickHouse's code."""
    with pytest.raises(Refused) as refusal:
        effective_settings({"url_base": "x"}, CATALOGUE, read_only=True, writes=False)
    assert refusal.value.code == 115
