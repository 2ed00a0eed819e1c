from pathlib import Path

import pytest

from operation.check_config import check_config

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os  # noqa: PLC0415  # only to empty it

    for name in [n for n in os.environ if n.startswith(("PARLEY_", "TEMPORAL_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", os.devnull)
    monkeypatch.chdir(tmp_path)  # no .env


def test_every_setting_is_shown_and_secrets_are_masked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARLEY_SECRET_KEY", SECRET)
    monkeypatch.setenv("PARLEY_DATABASE_URL", "postgresql://parley:hush@db/parley")
    monkeypatch.setenv("TEMPORAL_API_KEY", "hush-hush")
    monkeypatch.setenv("PARLEY_API__PORT", "9000")

    assert check_config() == 0

    lines = capsys.readouterr().out.splitlines()
    shown = {name: value.strip() for name, _, value in (line.partition(" ") for line in lines)}
    assert shown["PARLEY_API__PORT"] == "9000"
    assert shown["PARLEY_PUBLIC_URL"] == "http://127.0.0.1:9000"
    assert shown["PARLEY_SECRET_KEY"] == "********"
    assert shown["PARLEY_DATABASE_URL"] == "********"
    assert shown["TEMPORAL_API_KEY"] == "********"
    assert "hush" not in str(shown)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("PARLEY_SECRET_KEY", "hush", "PARLEY_SECRET_KEY: needs at least 32 characters"),
        ("PARLEY_DATABASE_URL", "mysql://hush@db/p", "PARLEY_DATABASE_URL: must start with one of"),
        ("PARLEY_API__PORT", "hush", "PARLEY_API__PORT: Input should be a valid integer"),
        ("PARLEY_PUBLIC_URL", "parley.example", "PARLEY_PUBLIC_URL: must start with http"),
        ("PARLEY_LOG__FORMAT", "xml", "PARLEY_LOG__FORMAT: Input should be"),
        ("PARLEY_API__PROT", "9000", "PARLEY_API__PROT is not a setting of Parley"),
        ("PARLEY_API", "{not json", "api"),
    ],
)
def test_the_first_bad_setting_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str,
    complaint: str,
) -> None:
    monkeypatch.setenv("PARLEY_SECRET_KEY", SECRET)
    monkeypatch.setenv(name, value)

    assert check_config() == 1

    said = capsys.readouterr()
    assert complaint in said.err
    assert "hush" not in said.err
    assert not said.out


def test_there_is_no_default_secret(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_config() == 1

    assert capsys.readouterr().err == "PARLEY_SECRET_KEY: is required\n"


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SECRET + "\n")
    monkeypatch.setenv("PARLEY_SECRET_KEY_FILE", str(tmp_path / "key"))

    assert check_config() == 0


def test_a_secret_given_twice_or_by_a_missing_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARLEY_SECRET_KEY_FILE", str(tmp_path / "missing"))
    assert check_config() == 1
    assert "PARLEY_SECRET_KEY_FILE cannot be read" in capsys.readouterr().err

    monkeypatch.setenv("PARLEY_SECRET_KEY", SECRET)
    assert check_config() == 1
    assert "both set" in capsys.readouterr().err


def test_the_database_lies_in_the_data_folder_unless_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from settings import Settings  # noqa: PLC0415  # after the environment is empty

    monkeypatch.setenv("PARLEY_SECRET_KEY", SECRET)
    monkeypatch.setenv("PARLEY_DATA_DIR", str(tmp_path / "d"))

    assert Settings().database_url.get_secret_value() == f"sqlite:///{tmp_path}/d/parley.db"
    assert Settings(data_dir=Path("e")).database_url.get_secret_value() == (
        f"sqlite:///{tmp_path}/e/parley.db"
    )
