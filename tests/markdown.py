"""Read the documents as their readers do: links, code blocks, paths of the repository."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "web" / "README.md"])

_BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_FOLDERS = (
    *("acd", "activities", "api", "bench", "connectors", "conversations", "docs", "operation"),
    *("reports", "requirements", "scripts", "simulated_network", "storage", "tests", "web"),
    "workflows",
)
_PATH = re.compile(rf"(?:{'|'.join(_FOLDERS)})/[\w./-]*|[\w-]+\.(?:py|md|toml|yml|example)")
GENERATED = frozenset(
    {"bench/results/latest.json", "docs/benchmarks.md", "tests/histories/mine.json"}
)
"""Named before they are there: measured, or recorded by the reader."""


def blocks(document: Path, language: str) -> list[str]:
    """Return the code blocks of a language."""
    found = _BLOCK.findall(document.read_text(encoding="utf-8"))
    return [body for kind, body in found if kind == language]


def without_blocks(document: Path) -> str:
    return _BLOCK.sub("", document.read_text(encoding="utf-8"))


def links(document: Path) -> Iterator[str]:
    """Yield where the document's links lead, those to other hosts left out."""
    for target in _LINK.findall(without_blocks(document)):
        if not re.match(r"https?://|mailto:", target):
            yield target


def named_paths(document: Path) -> Iterator[str]:
    """Yield the files and folders of the repository that stand in backticks."""
    for code in _CODE.findall(without_blocks(document)):
        if _PATH.fullmatch(code) and code not in GENERATED:
            yield code


def anchors(document: Path) -> set[str]:
    """Return the anchors of the document's headings."""
    headings = re.findall(r"^#+ (.+)$", without_blocks(document), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


def exists(named: str) -> bool:
    """Say whether a path is there, from the root or, for `*.py` of a package, in one folder."""
    return (ROOT / named).exists() or ("/" not in named and any(ROOT.glob(f"*/{named}")))
