"""Give a running program the numbers and truths of a changed module: constants and defaults."""

import sys
from types import CodeType, FunctionType, ModuleType
from typing import Any


def adopt(name: str, code: CodeType, packages: tuple[str, ...]) -> int:
    """Take over what differs when the module is run again; return how many places that were.

    Whoever imported a constant has a name of his own for it.
    """
    fresh = ModuleType(name)
    exec(code, fresh.__dict__)  # noqa: S102 - the project's own module, with one change
    taken = 0
    for key, new in vars(fresh).items():
        old = getattr(sys.modules[name], key, None)
        if key.startswith("__") or new is old:
            continue
        if isinstance(new, FunctionType) and isinstance(old, FunctionType):
            taken += _adopt_defaults(old, new)
        elif isinstance(new, type) and isinstance(old, type):
            taken += _adopt_methods(old, new)
        elif _is_plain(new) and new != old:
            taken += _rebind(key, old, new, packages)
    return taken


def _adopt_defaults(old: FunctionType, new: FunctionType) -> int:
    before, after = old.__defaults__ or (), new.__defaults__ or ()
    pairs = list(zip(before, after, strict=True))
    old.__defaults__ = tuple(b if _is_plain(b) else a for a, b in pairs) or None
    named = new.__kwdefaults__ or {}
    plain = {key: value for key, value in named.items() if _is_plain(value)}
    changed = {k: v for k, v in plain.items() if (old.__kwdefaults__ or {}).get(k) != v}
    if changed:
        old.__kwdefaults__ = {**(old.__kwdefaults__ or {}), **changed}
    return sum(1 for a, b in pairs if _is_plain(b) and a != b) + len(changed)


def _adopt_methods(old: type, new: type) -> int:
    taken = 0
    for key, value in vars(new).items():
        was = vars(old).get(key)
        if isinstance(value, FunctionType) and isinstance(was, FunctionType):
            taken += _adopt_defaults(was, value)
    return taken


def _rebind(key: str, old: object, new: object, packages: tuple[str, ...]) -> int:
    taken = 0
    for module in list(sys.modules.values()):
        if module.__name__.partition(".")[0] in packages and getattr(module, key, None) == old:
            setattr(module, key, new)
            taken += 1
    return taken


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple | frozenset):
        return all(_is_plain(each) for each in value)
    if isinstance(value, dict):
        return all(_is_plain(each) for pair in value.items() for each in pair)
    return value is None or isinstance(value, int | float | str)
