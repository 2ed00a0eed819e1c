"""Joins a page's modules into one script and its sheets into one, in memory and not on disk."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

# Written modules begin a line with these; minified ones follow a semicolon or a brace.
_BEGIN = r"(?:^|(?<=[;}]))"
_FROM = r"""from\s*["'](?P<path>[^"']+)["'];?"""
_IMPORT = re.compile(
    _BEGIN
    + r"import\s*(?:(?P<default>\w+)|\{(?P<names>[^}]*)\}|\*\s*as\s+(?P<all>\w+))\s*"
    + _FROM,
    re.MULTILINE,
)
_PASSED_ON = re.compile(_BEGIN + r"export\s*\{(?P<names>[^}]*)\}\s*" + _FROM, re.MULTILINE)
_LISTED = re.compile(_BEGIN + r"export\s*\{(?P<names>[^}]*)\};?", re.MULTILINE)
_DECLARED = re.compile(
    r"^export\s+(?P<kind>async\s+function\*?|function\*?|class|const)\s+(?P<name>[\w$]+)",
    re.MULTILINE,
)
_DEFAULT = re.compile(_BEGIN + r"export default function\b", re.MULTILINE)
_LATER = re.compile(r"""(?<![\w.$])import\(["'](?P<path>[^"']+)["']\)""")
_LEFT = re.compile(r"^\s*(?:import|export)\b.*|^await\b.*|(?<![\w.$])import\s*[(.].*", re.MULTILINE)


# Notes to whoever reads the source are not sent; they lie beside it, under /web/. Licences are.
_NOTES = re.compile(r"^[ \t]*(?://.*|/\*[\s\S]*?\*/[ \t]*)\n", re.MULTILINE)
_LICENCE = re.compile(r"copyright|licen[cs]e", re.IGNORECASE)


_SCOPE = """// {path}
const {name} = (() => {{
{text}
return {{ {given} }};
}})();
"""


# What is not needed at first is a script of its own; it is handed the modules that are there.
_PART = """export const join = ({{ {taken} }}) => {{
{text}return {entry};
}};
"""


class JoinError(ValueError):
    """A module is written in a form that cannot be joined."""


@dataclass(frozen=True, slots=True)
class Module:
    """One file as a function scope: what it takes, what it gives, its text."""

    path: str
    """Below web/, with slashes."""
    takes: Mapping[str, frozenset[str]]
    gives: frozenset[str]
    text: str
    later: frozenset[str] = frozenset()
    """What it asks for when it is wanted, by `import()`."""


@dataclass(frozen=True, slots=True)
class Script:
    """A page's modules as one text, and those that come when they are wanted."""

    text: str
    """Asks for each part at the address that `placed` puts in."""
    parts: Mapping[str, str]
    """Text by the path of the module that is asked for."""

    def placed(self, addresses: Mapping[str, str]) -> str:
        """Put in where each part is found."""
        text = self.text
        for path, address in addresses.items():
            text = text.replace(_mark(path), address)
        return text


@dataclass(slots=True)
class _Reading:
    """What is learnt of one file while its text is rewritten."""

    path: str
    takes: dict[str, set[str]] = field(default_factory=dict)
    later: set[str] = field(default_factory=set)
    gives: dict[str, str] = field(default_factory=dict)

    def imported(self, match: re.Match[str]) -> str:
        path = _beside(self.path, match["path"])
        known = self.takes.setdefault(path, set())
        if match["all"]:
            known.add("*")
            return f"const {match['all']} = {_scope(path)};"
        if match["default"]:
            known.add("default")
            return f"const {{ default: {match['default']} }} = {_scope(path)};"
        pairs = list(_pairs(match["names"]))
        known.update(name for name, _ in pairs)
        taken = ", ".join(name if name == own else f"{name}: {own}" for name, own in pairs)
        return f"const {{ {taken} }} = {_scope(path)};"

    def passed_on(self, match: re.Match[str]) -> str:
        path = _beside(self.path, match["path"])
        for name, outside in _pairs(match["names"]):
            self.takes.setdefault(path, set()).add(name)
            self.gives[outside] = f"{_scope(path)}.{name}"
        return ""

    def listed(self, match: re.Match[str]) -> str:
        self.gives.update({outside: own for own, outside in _pairs(match["names"])})
        return ""

    def asked_for(self, match: re.Match[str]) -> str:
        path = _beside(self.path, match["path"])
        self.later.add(path)
        return f"$later({path})"

    def declared(self, match: re.Match[str]) -> str:
        self.gives[match["name"]] = match["name"]
        return f"{match['kind']} {match['name']}"

    def default(self, _match: re.Match[str]) -> str:
        self.gives["default"] = "$default"
        return "function $default"


def read_module(web: Path, path: str) -> Module:
    """Read one file; JoinError when it is written in a form that is not known here."""
    reading = _Reading(path)
    text = _without_notes((web / path).read_text(encoding="utf-8"))
    text = _IMPORT.sub(reading.imported, text)
    text = _PASSED_ON.sub(reading.passed_on, text)
    text = _LISTED.sub(reading.listed, text)
    text = _DECLARED.sub(reading.declared, text)
    text = _DEFAULT.sub(reading.default, text)
    text = _LATER.sub(reading.asked_for, text)
    if left := _LEFT.search(text):
        raise JoinError(f"{path}: cannot be joined: {left[0].strip()[:80]}")
    given = ", ".join(
        name if name == own else f"{name}: {own}" for name, own in reading.gives.items()
    )
    return Module(
        path=path,
        takes={of: frozenset(names) for of, names in reading.takes.items()},
        gives=frozenset(reading.gives),
        text=_SCOPE.format(path=path, name=_scope(path), text=text, given=given),
        later=frozenset(reading.later),
    )


def modules_of(web: Path, entry: str) -> list[Module]:
    """Every module that a page needs, each after those that it takes from."""
    ordered: dict[str, Module] = {}
    _gather(web, entry, (), ordered)
    return list(ordered.values())


def _gather(web: Path, path: str, above: tuple[str, ...], ordered: dict[str, Module]) -> None:
    if path in ordered:
        return
    if path in above:
        raise JoinError(f"modules need each other: {' > '.join([*above, path])}")
    module = read_module(web, path)
    for needed, names in module.takes.items():
        _gather(web, needed, (*above, path), ordered)
        if missing := names - ordered[needed].gives - {"*"}:
            raise JoinError(f"{path} takes {', '.join(sorted(missing))}: not in {needed}")
    ordered[path] = module


def join_scripts(web: Path, entry: str) -> Script:
    """One module that does what `entry` and all that it needs do, and one for each later part."""
    first = modules_of(web, entry)
    known = {module.path for module in first}
    text = "".join(module.text for module in first)
    parts = {}
    for path in sorted({path for module in first for path in module.later}):
        if path in known:
            raise JoinError(f"{path} is asked for later and needed at once")
        own = [module for module in modules_of(web, path) if module.path not in known]
        if further := [module.path for module in own if module.later]:
            raise JoinError(f"{further[0]} comes later and asks for more")
        needed = {of for module in own for of in module.takes} & known
        taken = ", ".join(sorted(_scope(of) for of in needed))
        own_text = "".join(module.text for module in own)
        parts[path] = _PART.format(taken=taken, text=own_text, entry=_scope(path))
        joined = f"import('{_mark(path)}').then((part) => part.join({{ {taken} }}))"
        text = text.replace(f"$later({path})", joined)
    return Script(text, parts)


def join_sheets(web: Path, paths: list[str]) -> str:
    """One sheet, in the order in which the page names its sheets."""
    texts = [(path, (web / path).read_text(encoding="utf-8")) for path in paths]
    return "".join(f"/* {path} */\n{_without_notes(text)}\n" for path, text in texts)


def _without_notes(text: str) -> str:
    return _NOTES.sub(lambda note: note[0] if _LICENCE.search(note[0]) else "", text)


def _scope(path: str) -> str:
    return "$" + re.sub(r"\W", "_", path.removesuffix(".js"))


def _mark(path: str) -> str:
    return f"$address({path})"


def _beside(path: str, other: str) -> str:
    """Where `other` lies, as `path` names it."""
    if not other.startswith("."):
        raise JoinError(f"{path}: {other} is not beside it")
    parts: list[str] = []
    for part in (PurePosixPath(path).parent / other).parts:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            raise JoinError(f"{path}: {other} lies outside")
    return "/".join(parts)


def _pairs(names: str) -> Iterator[tuple[str, str]]:
    """Split `a, b as c` into (a, a), (b, c)."""
    for part in names.split(","):
        words = part.split()
        if words:
            yield words[0], words[-1]
