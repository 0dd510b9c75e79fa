"""The linter: what in one event Meta would accept and could not use ("accepted but useless"); pure.

It is for valid events, as they would be sent; what makes an event invalid is said by ``problems_of``. Where a sign is
no proof it is a documented heuristic, and so all findings are warnings.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from schemas.base import is_present, section
from schemas.lint_codes import LINT_MESSAGES
from schemas.lint_given import MILLISECONDS_FROM, Check, Finding, Given, Path
from schemas.lint_identifiers import IDENTIFIER_CHECKS
from schemas.lint_tables import APP_SDK_NAMES, meant_key, standard_event
from schemas.problems import Problem, path_of
from schemas.window import event_window


def lint(event: object, *, now: float, domains: Collection[str] = (), test_mode: bool = False) -> list[Problem]:
    """Return what would be accepted and useless in an event, sorted by path. Never raises, whatever JSON it is given.

    Args:
        event: Decoded JSON, as it would be sent.
        now: Unix seconds.
        domains: The domains the dataset's web events come from, subdomains included; none: they are not looked at.
        test_mode: Whether the dataset is set to send with a ``test_event_code``.
    """
    if not isinstance(event, Mapping):
        return []
    hosts = tuple(domain.lower() for domain in domains)
    given = Given(event, section(event, "user_data"), section(event, "custom_data"), now, hosts)
    findings = {finding for check in _CHECKS for finding in check(given)}
    if test_mode:
        findings.add(Finding(("test_event_code",), "test_event_code"))
    problems = (
        Problem(path_of(each.path), each.code, LINT_MESSAGES[each.code].format(known=each.known)) for each in findings
    )
    return sorted(problems, key=lambda problem: (problem.path, problem.code))


def _of_name(given: Given) -> Iterator[Finding]:
    """Find a standard event under a name that is none to Meta; a CRM names its stages as it likes."""
    name = given.event.get("event_name")
    if not isinstance(name, str) or given.custom_data.get("event_source") == "crm":
        return
    for code, known in (("event_name_case", standard_event(name)), ("app_event_name", APP_SDK_NAMES.get(name))):
        if known:
            yield Finding(("event_name",), code, known)


def _of_id_and_time(given: Given) -> Iterator[Finding]:
    if not is_present(given.event.get("event_id")):
        yield Finding(("event_id",), "missing_event_id")
    moment, source = given.event.get("event_time"), given.event.get("action_source")
    if type(moment) is not int or moment >= MILLISECONDS_FROM:
        return  # no time: that is invalid
    window = event_window(moment, source if isinstance(source, str) else None, given.now)
    if window != "ok":
        yield Finding(("event_time",), "too_old" if window == "too_old" else "in_the_future")


def _of_website(given: Given) -> Iterator[Finding]:
    if given.event.get("action_source") != "website":
        return
    if not is_present(given.user_data.get("client_user_agent")):
        yield Finding(("user_data", "client_user_agent"), "website_without_user_agent")
    host = _host(given.event.get("event_source_url"))
    if given.domains and host and not any(host == each or host.endswith(f".{each}") for each in given.domains):
        yield Finding(("event_source_url",), "url_off_domains")


def _host(url: object) -> str | None:
    try:
        return urlsplit(url).hostname if isinstance(url, str) else None
    except ValueError:
        return None


def _of_money(given: Given) -> Iterator[Finding]:
    custom_data = given.custom_data
    if "currency" in custom_data and not is_present(custom_data.get("value")):
        yield Finding(("custom_data", "currency"), "currency_without_value")
    if given.event.get("event_name") == "Purchase" and _is_zero(custom_data.get("value")):
        yield Finding(("custom_data", "value"), "purchase_value_zero")
    for key in ("value", "currency"):
        if key not in custom_data:
            yield from (
                Finding((*path, key), "value_outside_custom_data") for path, part in _places(given) if key in part
            )


def _is_zero(value: object) -> bool:
    if isinstance(value, str):
        return bool(value) and not value.strip("0.")
    return isinstance(value, (int, float)) and value == 0


def _places(given: Given) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield the objects in which money is looked for in vain."""
    yield (), given.event
    for key in ("user_data", "app_data", "original_event_data", "attribution_data"):
        yield (key,), section(given.event, key)
    yield ("custom_data", "store_data"), section(given.custom_data, "store_data")
    contents = given.custom_data.get("contents")
    for index, content in enumerate(contents if isinstance(contents, list) else ()):
        if isinstance(content, Mapping):
            yield ("custom_data", "contents", index), content


def _of_properties(given: Given) -> Iterator[Finding]:
    for key in given.custom_data:
        known = meant_key(key) if isinstance(key, str) else None
        if known and known not in given.custom_data:
            yield Finding(("custom_data", key), "misspelt_key", known)
    if "test_event_code" in given.custom_data:
        yield Finding(("custom_data", "test_event_code"), "test_event_code")


def _of_lead(given: Given) -> Iterator[Finding]:
    """Find a lead's stage that does not say where it comes from (Meta: conversion-leads)."""
    if given.event.get("action_source") != "system_generated" or not is_present(given.user_data.get("lead_id")):
        return
    if given.custom_data.get("event_source") != "crm":
        yield Finding(("custom_data", "event_source"), "lead_without_crm_source")
    if not is_present(given.custom_data.get("lead_event_source")):
        yield Finding(("custom_data", "lead_event_source"), "lead_without_crm_source")


_CHECKS: Final[tuple[Check, ...]] = (
    _of_name,
    _of_id_and_time,
    _of_website,
    _of_money,
    _of_properties,
    _of_lead,
    *IDENTIFIER_CHECKS,
)
