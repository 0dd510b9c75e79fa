"""Open what a command works on: the settings, the event store, a producer."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from capi_relay import Producer, Receipt
from capi_relay.datasets import DatasetDefaults
from capi_relay.errors import MisconfiguredError
from worker.cli.console import err
from worker.datasets import Datasets
from worker.runtime import open_store
from worker.settings import Settings
from worker.store import Store

# A command may wait longer for the store than a checkout may.
_DEADLINE_SECONDS = 5.0


class DatasetId(click.ParamType[str]):
    """A dataset's id on the command line."""

    name = "ID"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401 - click's
        """Return the id, or refuse what cannot be one."""
        if not is_dataset_id(value):
            self.fail("a dataset's id has 1 to 32 digits and nothing else", param, ctx)
        return str(value)


DATASET_ID = DatasetId()


def is_dataset_id(value: object) -> bool:
    """Say whether a value is the text of a dataset's id."""
    return isinstance(value, str) and re.fullmatch(r"[0-9]{1,32}", value) is not None


@contextmanager
def opened_store(settings: Settings) -> Iterator[Store]:
    """Open the event store, which must answer, and soon: a person waits.

    Raises:
        StoreUnavailable: it does not.
        MisconfiguredError: it has another number of shards than CAPI_SHARDS says.
    """
    store = open_store(settings, patient=False)
    try:
        store.admin.ping()
        yield store
    finally:
        store.close()


def known_ids(settings: Settings, store: Store) -> list[str]:
    """Return every dataset: those the store knows, and those that are configured."""
    try:
        configured = Datasets(settings).ids()
    except MisconfiguredError as error:  # what waits must be seen all the same
        err().print(f"The configured datasets are not listed: {error}")
        configured = []
    return sorted({*store.admin.dataset_ids(), *store.admin.paused_ids(), *configured})


def lanes_of(settings: Settings) -> dict[str, int]:
    """Return how many fresh lanes each configured dataset has."""
    datasets = Datasets(settings)
    return {found.dataset_id: found.lanes for found in map(datasets.get, datasets.ids()) if found}


def open_producer(settings: Settings) -> Producer:
    """Make a producer with the worker's settings; it connects at its first enqueue."""
    return Producer(
        settings.redis_url,
        default_dataset_id=settings.dataset_id,
        datasets_path=settings.datasets_path,
        deadline_seconds=_DEADLINE_SECONDS,
        linger_seconds=settings.linger_seconds,
        full_events=settings.batch_events,
        freshness_seconds=settings.freshness_seconds,
        shards=settings.shards,
    )


def prepared(producer: Producer, event: Mapping[str, Any], defaults: DatasetDefaults) -> tuple[bytes, Receipt]:
    """Return the bytes that the queue would store for an event, without storing them.

    Raises:
        InvalidEvent: the producer would refuse it.
    """
    ready = producer._prepare(event, defaults)  # noqa: SLF001 - exactly what an enqueue does, or a test would prove nothing
    return ready.event, ready.receipt
