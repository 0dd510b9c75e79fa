"""``send --now``: POST events at once, past the queue, as test events, and print what Meta answers."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import click

from capi_relay.datasets import DatasetFile
from capi_relay.errors import InvalidEvent
from worker.answer import Answer, Response
from worker.cli.console import err, out, print_json
from worker.cli.event_files import Found
from worker.cli.opening import open_producer, prepared
from worker.datasets import Dataset, Datasets
from worker.detail import object_in
from worker.explain import explain
from worker.graph import GraphClient, body_of
from worker.outcome import (
    DatasetBlocked,
    Delivered,
    EventRejected,
    LocalTrouble,
    Outcome,
    RateLimited,
    TokenDead,
    TooLarge,
    Transient,
    Unknown,
    classify,
)
from worker.scrub import escape, scrub
from worker.settings import MAX_BATCH_EVENTS, Settings

_REASONS: dict[type[Outcome], str] = {
    EventRejected: "rejected",
    Unknown: "unknown",
    DatasetBlocked: "blocked",
    TokenDead: "token",
    RateLimited: "rate_limited",
    TooLarge: "too_large",
    Transient: "transient",
}


@dataclass(frozen=True, slots=True)
class _Result:
    sent: int
    answer: Answer
    outcome: Outcome

    @property
    def received(self) -> bool:
        """Say whether Meta took all that was sent."""
        return isinstance(self.outcome, Delivered) and self.outcome.shortfall == 0


def send_now(
    settings: Settings,
    events: Iterator[Found],
    *,
    dataset_id: str | None,
    test_event_code: str,
    as_json: bool,
) -> None:
    """POST the events as one batch; exits with 1 unless Meta took all of them."""
    dataset = _dataset_with_token(settings, dataset_id)
    bodies = _ready(settings, events, dataset)
    client = GraphClient(
        url=settings.graph_url, version=settings.graph_version, total_seconds=settings.http_total_seconds
    )
    body = body_of(bodies, test_event_code=test_event_code, partner_agent=dataset.partner_agent)
    assert dataset.token is not None  # noqa: S101 - looked at above
    try:
        answer = client.post(dataset.dataset_id, dataset.token, body)
    finally:
        client.close()
    result = _Result(len(bodies), answer, classify(answer, len(bodies)))
    if as_json:
        print_json(_as_json(result))
    else:
        _tell(result)
    if not result.received:
        raise SystemExit(1)


def _dataset_with_token(settings: Settings, dataset_id: str | None) -> Dataset:
    if dataset_id is None:
        raise click.UsageError("say which dataset the events are for: --dataset ID, or set CAPI_DATASET_ID")
    dataset = Datasets(settings).get(dataset_id)
    if dataset is None or dataset.token is None:
        raise click.UsageError(f"dataset {dataset_id} has no access token: give it one in the file CAPI_DATASETS names")
    return dataset


def _ready(settings: Settings, events: Iterator[Found], dataset: Dataset) -> list[bytes]:
    """Return the events' bytes as the queue would send them; all must be fit for that."""
    producer = open_producer(settings)
    defaults = DatasetFile(settings.datasets_path).get(dataset.dataset_id)
    bodies = []
    for found in islice(events, MAX_BATCH_EVENTS + 1):
        if found.event is None:
            raise click.UsageError(f"line {found.line}: {found.reason}; nothing was sent")
        if found.dataset_id not in (None, dataset.dataset_id):
            raise click.UsageError(f"line {found.line}: it is for another dataset; nothing was sent")
        try:
            event, receipt = prepared(producer, found.event, defaults)
        except InvalidEvent as error:
            raise click.UsageError(f"line {found.line}: {error}; nothing was sent") from None
        for warning in receipt.warnings:
            err().print(escape(f"line {found.line}: warning: {warning}"))
        bodies.append(event)
    if not 1 <= len(bodies) <= MAX_BATCH_EVENTS:
        raise click.UsageError(f"--now takes 1 to {MAX_BATCH_EVENTS} events; nothing was sent")
    return bodies


def _as_json(result: _Result) -> dict[str, Any]:
    return {
        "sent": result.sent,
        "outcome": type(result.outcome).__name__,
        "status": result.answer.status if isinstance(result.answer, Response) else None,
        "answer": scrub(object_in(result.answer.body)) if isinstance(result.answer, Response) else None,
        **_explained(result.outcome),
    }


def _tell(result: _Result) -> None:
    console = out()
    if isinstance(result.answer, Response):
        console.print(f"HTTP {result.answer.status}")
        console.print(json.dumps(scrub(object_in(result.answer.body)), indent=2, ensure_ascii=False))
    told = _explained(result.outcome)
    if result.received:
        console.print(f"Meta received all {result.sent} event(s): see them on the Test Events page of Events Manager.")
    for name in ("cause", "fix"):
        if told[name]:
            console.print(f"{name.capitalize()}: {escape(told[name])}")


def _explained(outcome: Outcome) -> dict[str, str]:
    match outcome:
        case Delivered(_, 0):
            return {"cause": "", "fix": ""}
        case Delivered(_, shortfall):
            return {
                "cause": f"Meta did not count {shortfall} of the events as received.",
                "fix": "Compare by event_id.",
            }
        case LocalTrouble(reason):
            told = explain("local_trouble", None, None, [reason])
        case _:
            detail = outcome.detail
            told = explain(_REASONS[type(outcome)], detail.code, detail.subcode, detail.fields)
    return {"cause": told.cause, "fix": told.fix}
