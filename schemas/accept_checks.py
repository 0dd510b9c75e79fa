"""The checks of the accept path: what the compiled types cannot say, as plain functions of a decoded value."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

from marshmallow import Schema, ValidationError
from msgspec import UNSET

from schemas.base import About, Rule, Where
from schemas.fields import OneOrMany
from schemas.validators import DIGEST_LENGTH, HASH

Check = Callable[[Any], bool]

_HEX: Final = b"0123456789abcdef"


def fine(_: object) -> bool:
    """Find nothing wrong."""
    return True


def together(checks: Sequence[Check]) -> Check:
    """Make one check of several."""
    if len(checks) < 2:  # noqa: PLR2004 - none or one
        return checks[0] if checks else fine

    def check(value: object) -> bool:
        for each in checks:  # noqa: SIM110 - all() needs a generator, which costs more than most checks
            if not each(value):
                return False
        return True

    return check


def of_member(name: str, check: Check) -> Check:
    """Check the value of one key, where there is one."""

    def of_node(node: object) -> bool:
        value = getattr(node, name)
        return value is UNSET or value is None or check(value)

    return of_node


def of_each(check: Check) -> Check:
    """Check all members of a list."""
    return lambda values: all(map(check, values))


def passes(validator: Callable[[Any], Any]) -> Check:
    """Let a validator of marshmallow's kind decide."""

    def check(value: object) -> bool:
        try:
            validator(value)
        except ValidationError:
            return False
        return True

    return check


def keeps_rules(rules: Iterable[Rule]) -> list[Check]:
    """Run the rules, each only where it applies."""
    checks: list[Check] = []
    by_value: dict[str, dict[object, list[Check]]] = {}
    for rule in rules:
        match rule:
            case Where(key, value, inner):
                by_value.setdefault(key, {}).setdefault(value, []).append(_keeps(inner))
            case About(path, inner):
                checks.append(_nothing_or(_holds(path), _keeps(inner)))
            case _:
                checks.append(_keeps(rule))
    for key, table in by_value.items():
        checks.append(_where_value(key, {value: together(found) for value, found in table.items()}))
    return checks


def _keeps(rule: Rule) -> Check:
    return lambda node: next(rule(node), None) is None


def _nothing_or(holds: Check, check: Check) -> Check:
    return lambda node: not holds(node) or check(node)


def _holds(path: Sequence[str]) -> Check:
    """Say whether anything stands at a path."""
    key, *rest = path
    inner = _holds(rest) if rest else None

    def holds(node: object) -> bool:
        value = getattr(node, key)
        if inner is None or value is UNSET or value is None:
            return value is not UNSET
        return any(map(inner, value)) if type(value) is list else inner(value)

    return holds


def _where_value(key: str, checks: Mapping[object, Check]) -> Check:
    """Look the check up instead of asking each rule whether it applies; the key's type is text."""
    return lambda node: checks.get(getattr(node, key), fine)(node)


def digests_match(made: Schema) -> list[Check]:
    """Look at all digests of an object at once, of which the types know the least length only.

    To match each of them costs several times as much.
    """
    names = [name for name, field in made.fields.items() if isinstance(field, OneOrMany) and field.pattern is HASH]
    if not names:
        return []
    read = attrgetter(*names)  # with one name it would return no tuple: no schema has just one

    def check(node: object) -> bool:
        digests: list[str] = []
        for value in read(node):
            if type(value) is list:
                digests += value
            elif type(value) is str:
                digests.append(value)
        return are_digests(digests)

    return [check]


def are_digests(texts: Sequence[str]) -> bool:
    """Say whether all texts, each at least as long as a plain digest, are digests, perhaps with an appendix."""
    joined = "".join(texts)
    if len(joined) == DIGEST_LENGTH * len(texts) and joined.isascii():  # so none is longer
        return not joined.encode().translate(None, _HEX)
    return all(map(HASH.match, texts))
