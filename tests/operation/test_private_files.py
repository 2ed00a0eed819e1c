import stat
from pathlib import Path

from operation.demo_keys import make_keys
from operation.run_file import read_keys, secret_key_file, write_keys, write_privately


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_keys_are_made_once_and_are_private(tmp_path: Path) -> None:
    first = read_keys(tmp_path)

    assert read_keys(tmp_path) == first
    assert len(first["admin"]) >= 32
    assert mode(tmp_path / "keys.json") == 0o600


def test_two_folders_have_different_secrets(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()

    assert secret_key_file(one).read_text() != secret_key_file(other).read_text()
    assert mode(secret_key_file(one)) == 0o600


def test_a_file_that_was_open_to_all_becomes_private(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("old")
    path.chmod(0o644)

    write_privately(path, "new")

    assert path.read_text() == "new"
    assert mode(path) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_left_over_of_a_killed_writer_does_no_harm(tmp_path: Path) -> None:
    import os  # noqa: PLC0415  # for the pid alone

    (tmp_path / f".keys.json.{os.getpid()}").write_text("half")

    write_keys(tmp_path, {"admin": "k"})

    assert read_keys(tmp_path) == {"admin": "k"}


def test_containers_get_the_same_keys_at_every_start(tmp_path: Path) -> None:
    folder = tmp_path / "volume"
    make_keys(folder)
    before = {path.name: path.read_text() for path in folder.iterdir()}

    make_keys(folder)

    assert {path.name: path.read_text() for path in folder.iterdir()} == before
    assert before["admin.key"].strip() == read_keys(folder)["admin"]
    assert all(mode(path) == 0o600 for path in folder.iterdir())
