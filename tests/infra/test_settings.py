"""Settings: one reader of the environment, in a fixed order of sources."""

import json
from pathlib import Path

import pytest

from infra.settings import Settings, example, load
from schemas.errors import ConfigurationError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"DAYBOOK_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


def _leave_status(data: Path, **endpoints: str) -> None:
    data.mkdir(parents=True, exist_ok=True)
    (data / "status.json").write_text(json.dumps({"endpoints": endpoints}))


def test_defaults_describe_servers_on_this_machine() -> None:
    """Without any source the defaults hold."""
    settings = load()
    assert (settings.kafka, settings.partitions, settings.tick_ms) == ("127.0.0.1:9092", 4, 250)
    assert settings.data == Path(".daybook")


def test_a_variable_wins_over_the_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """DAYBOOK_* beats .env, which beats the default."""
    (tmp_path / ".env").write_text("DAYBOOK_TICK_MS=100\nDAYBOOK_PARTITIONS=8\nOTHER=1\n")
    monkeypatch.setenv("DAYBOOK_TICK_MS", "50")
    settings = load()
    assert (settings.tick_ms, settings.partitions) == (50, 8)


def test_an_argument_wins_over_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command line gives beats the environment; None counts as not given."""
    monkeypatch.setenv("DAYBOOK_INSTANCE", "from-environment")
    assert load(instance="given").instance == "given"
    assert load(instance=None).instance == "from-environment"


def test_a_running_stack_is_found_by_its_status_file(tmp_path: Path) -> None:
    """Endpoints come from <data>/status.json when nothing says otherwise."""
    _leave_status(
        tmp_path / ".daybook",
        kafka="127.0.0.1:1",
        valkey="redis://127.0.0.1:2/0",
        clickhouse="http://u:p@127.0.0.1:3",
    )
    settings = load()
    assert settings.kafka == "127.0.0.1:1"
    assert settings.valkey_url == "redis://127.0.0.1:2/0"
    assert settings.clickhouse_url == "http://u:p@127.0.0.1:3"


def test_an_explicit_endpoint_wins_over_the_status_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Only what is not set explicitly is taken from the stack."""
    _leave_status(tmp_path / ".daybook", kafka="127.0.0.1:1", valkey="redis://127.0.0.1:2/0")
    monkeypatch.setenv("DAYBOOK_KAFKA", "kafka.example:9092")
    settings = load()
    assert settings.kafka == "kafka.example:9092"
    assert settings.valkey_url == "redis://127.0.0.1:2/0"


def test_the_status_file_of_another_data_directory_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """DAYBOOK_DATA decides whose status file is read."""
    _leave_status(tmp_path / "elsewhere", kafka="127.0.0.1:7")
    monkeypatch.setenv("DAYBOOK_DATA", str(tmp_path / "elsewhere"))
    assert load().kafka == "127.0.0.1:7"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"endpoints": 3}', '{"endpoints": {}}'])
def test_a_broken_status_file_is_no_status_file(tmp_path: Path, text: str) -> None:
    """A half-written or foreign status file never stops a command."""
    (tmp_path / ".daybook").mkdir()
    (tmp_path / ".daybook" / "status.json").write_text(text)
    assert load().kafka == "127.0.0.1:9092"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DAYBOOK_PARTITIONS", "0"),
        ("DAYBOOK_TICK_MS", "soon"),
        ("DAYBOOK_LOG_FORMAT", "xml"),
        ("DAYBOOK_APP", "No Spaces"),
    ],
)
def test_a_wrong_value_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The error says which variable is wrong, not which field of which class."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        load()
    assert caught.value.setting == name


def test_passwords_stay_out_of_the_representation() -> None:
    """A logged Settings object shows no URL that may hold a password."""
    shown = repr(load(valkey_url="redis://:secret@h:1/0", clickhouse_url="http://u:secret@h:1"))
    assert "secret" not in shown


def test_the_example_file_is_the_generated_one() -> None:
    """.env.example in the repository is what `daybook settings --example` prints."""
    assert (ROOT / ".env.example").read_text() == example()


def test_a_copied_example_changes_nothing(tmp_path: Path) -> None:
    """Copying .env.example to .env gives the same settings as no file."""
    before = load()
    (tmp_path / ".env").write_text(example())
    assert load() == before
