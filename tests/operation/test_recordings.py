"""Recordings: read, joined where they share posts, and refused with the line's number."""

import json
from pathlib import Path
from typing import Any

import pytest

from operation.recordings import (
    Recording,
    UnusableRecording,
    customers_of,
    merged,
    read_recordings,
    recording_from,
)

ROOT = Path(__file__).parents[2]


def line(*posts: tuple[str, str, str], company: str = "acme", first: int = 1) -> dict[str, Any]:
    """Return a line whose posts are (role, author, text), a second apart."""
    said = [
        {"id": str(n), "ts_ms": n * 1000, "role": role, "author": author, "text": text}
        for n, (role, author, text) in enumerate(posts, first)
    ]
    return {"conversation": "c", "company": company, "posts": said}


def told(recording: Recording) -> list[tuple[str, str | None]]:
    return [(one.author, one.to) for one in recording.said]


def test_an_answer_is_for_whom_it_names_else_for_who_spoke_last() -> None:
    recording = recording_from(
        line(
            ("client", "u_1", "help"),
            ("other", "u_2", "me too"),
            ("agent", "acme", "@u_1 one moment"),
            ("agent", "acme", "and you?"),
        )
    )

    assert told(recording) == [("u_1", None), ("u_2", None), ("acme", "u_1"), ("acme", "u_2")]


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"company": "acme", "posts": []},
        {"company": "a b", "posts": [{}]},
        line(("agent", "acme", "hello?")),
        line(("boss", "u_1", "hello")),
        line(("client", "", "hello")),
        line(("client", "u_1", "")),
        [],
        7,
    ],
)
def test_what_is_no_conversation_is_refused_with_its_line(tmp_path: Path, bad: Any) -> None:
    path = tmp_path / "recordings.jsonl"
    path.write_text(json.dumps(line(("client", "u_1", "x"))) + "\n\n" + json.dumps(bad) + "\n")

    with pytest.raises(UnusableRecording, match="line 3"):
        read_recordings(path)


def test_a_file_without_conversations_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe")
    for name in ("empty.jsonl", "binary.jsonl", "missing.jsonl"):
        with pytest.raises(UnusableRecording):
            read_recordings(tmp_path / name)


def test_recordings_that_share_posts_are_one_and_each_post_is_said_once() -> None:
    posts = (("client", "u_1", "a"), ("agent", "acme", "b"), ("client", "u_1", "c"))
    short, long = recording_from(line(*posts[:2])), recording_from(line(*posts))
    other = recording_from(line(*posts, company="rival"))

    joined = merged([short, other, long])

    assert [len(recording.said) for recording in joined] == [3, 3]
    assert {recording.brand for recording in joined} == {"acme", "rival"}


def test_recordings_are_played_in_the_order_of_their_beginning() -> None:
    late = recording_from(line(("client", "u_1", "late"), first=9))
    early = recording_from(line(("client", "u_2", "early"), first=2))

    assert merged([late, early]) == [early, late]


def test_the_examples_are_recordings_of_several_brands_with_bursts_and_follow_ups() -> None:
    recordings = read_recordings(ROOT / "examples" / "care-conversations.jsonl")

    shapes = {"".join("a" if one.is_answer else "c" for one in r.said) for r in recordings}
    assert len(recordings) == 40
    assert len({recording.brand for recording in recordings}) > 9
    assert {"ca", "cca", "caca"} <= shapes
    assert len(customers_of(recordings)) > 40


def test_the_examples_name_their_source_and_its_licence() -> None:
    words = (ROOT / "examples" / "README.md").read_text()

    assert "IBM/twitter-customer-care-document-prediction" in words
    assert "Apache License 2.0" in words
    assert "Changed:" in words
