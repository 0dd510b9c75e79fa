"""How long a version of the Graph API is served, and what the answer to a probe says of a token; pure."""

from datetime import date, timedelta

from worker.doctor.finding import Finding
from worker.explain import explain
from worker.outcome import (
    DatasetBlocked,
    Delivered,
    EventRejected,
    LocalTrouble,
    Outcome,
    RateLimited,
    TokenDead,
)

_SOON = timedelta(days=90)
# The Graph API's own schedule, which holds for /events; the Marketing API's shorter one does not (Meta: changelog,
# using-the-api). None: the end is not announced, two years after the release at least.
_LAST_DAYS: dict[str, date | None] = {
    "v20.0": date(2026, 9, 24),
    "v21.0": date(2027, 1, 21),
    "v22.0": date(2027, 5, 20),
    "v23.0": date(2027, 10, 8),
    "v24.0": date(2028, 2, 18),
    "v25.0": date(2028, 7, 29),
    "v26.0": None,
}
_NEWER = "Set CAPI_GRAPH_VERSION to a newer version, and restart the workers."
_NO_CONVERSION = "asked with an event that Meta must refuse"


def of_graph_version(version: str, today: date) -> Finding:
    """Say until when Meta serves a version, as far as it has said so."""
    if version not in _LAST_DAYS:
        number = _number(version)
        if number < min(map(_number, _LAST_DAYS)):
            return Finding("problem", "Graph version", f"Meta no longer serves {version}", _NEWER)
        finding = f"{version} is newer than this program: it does not know until when Meta serves it"
        return Finding("warning", "Graph version", finding, "Look it up in Meta's changelog of the Graph API.")
    last = _LAST_DAYS[version]
    if last is None:
        return Finding("ok", "Graph version", f"{version}: Meta has not announced an end")
    if today > last:
        finding = f"Meta stopped serving {version} on {last}: it answers with a newer one, or refuses"
        return Finding("problem", "Graph version", finding, _NEWER)
    if today > last - _SOON:
        return Finding("warning", "Graph version", f"Meta serves {version} until {last} only", _NEWER)
    return Finding("ok", "Graph version", f"Meta serves {version} until {last}")


def of_probe(dataset_id: str, outcome: Outcome) -> Finding:
    """Judge a dataset and its token by the answer to an event that must be refused."""
    if isinstance(outcome, EventRejected):
        return Finding("ok", f"dataset {dataset_id}", f"the token works ({_NO_CONVERSION})")
    if isinstance(outcome, TokenDead | DatasetBlocked | LocalTrouble):
        return Finding("problem", f"dataset {dataset_id}", *_bad(outcome))
    return Finding("warning", f"dataset {dataset_id}", *_unclear(outcome))


def _bad(outcome: TokenDead | DatasetBlocked | LocalTrouble) -> tuple[str, str]:
    """Return what is wrong, and what to do."""
    if isinstance(outcome, LocalTrouble):
        fix = "See that this machine resolves, reaches and trusts CAPI_GRAPH_URL: name server, firewall, clock."
        return f"nothing could be asked: {outcome.reason}", fix
    dead, detail = isinstance(outcome, TokenDead), outcome.detail
    told = explain("token" if dead else "blocked", detail.code, detail.subcode, detail.fields)
    whom = "the token" if dead else "the dataset or its token"
    return f"Meta refuses {whom} (code {_code(detail.code, detail.subcode)}): {told.cause}", told.fix


def _unclear(outcome: Outcome) -> tuple[str, str]:
    """Return why the answer says nothing of the token, and what to do."""
    match outcome:
        case RateLimited():
            return "Meta limits the calls, and so told nothing of the token", "Ask later."
        case Delivered() | EventRejected() | LocalTrouble():  # of these only the first comes here
            finding = "what answers took an event that Meta refuses, so it tells nothing of the token"
            return finding, "See that CAPI_GRAPH_URL is Meta's."
        case _:
            said = f"code {_code(outcome.detail.code, outcome.detail.subcode)}, HTTP {outcome.detail.status}"
            return f"the answer tells nothing of the token ({said})", "Ask again; else send a test event: `send --now`."


def _code(code: int | None, subcode: int | None) -> str:
    return f"{code}/{subcode}" if subcode else str(code)


def _number(version: str) -> float:
    return float(version.lstrip("v"))
