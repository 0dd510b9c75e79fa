"""What ``check`` says of the event store: its server, and what is in it."""

from collections.abc import Collection, Iterator, Sequence

from capi_relay.errors import MisconfiguredError
from worker.cli.checks_url import of_transport, place_of
from worker.datasets import Datasets
from worker.doctor.finding import Finding, findings_of_error, fix_of_login
from worker.doctor.server import of_clock, of_expiry, of_server
from worker.errors import StoreUnavailable
from worker.scrub import redact
from worker.settings import Settings
from worker.store import DatasetCounts, Store
from worker.store.settlement import REMEMBERED_BYTES

_NEAR = 0.8
_CROWDED = 0.95


def of_store(settings: Settings, store: Store) -> Iterator[Finding]:
    """Look at the server; what is in it only where that answers."""
    where = place_of(settings.redis_url)
    try:
        store.admin.ping()
        yield Finding("ok", "event store", f"{where} answers; shards: {store.shards}")
    except MisconfiguredError as error:
        yield from findings_of_error("event store", error)
        return
    except StoreUnavailable as error:
        yield Finding("problem", "event store", f"{where}: {redact(str(error))}", _fix(settings, error))
        return
    yield from of_transport("event store", settings.redis_url)
    try:
        info = store.admin.info()
        yield from of_server(info)
        yield from of_expiry(info, store.server.option("lazyfree-lazy-expire"))
    except StoreUnavailable:
        finding = "the server does not let its settings be read"
        fix = "See for yourself that it is version 7.0 or newer, maxmemory-policy noeviction, appendonly yes."
        yield Finding("warning", "server settings", finding, fix)
    try:
        yield of_clock(store.server.skew_ms())
        yield of_workers([sign.name for sign in store.workers.seen()])
        yield from _of_contents(settings, store)
    except StoreUnavailable as error:
        yield Finding(
            "problem", "event store", f"{where}: {redact(str(error))}", "Give the user of the URL its rights."
        )


def of_workers(names: Sequence[str]) -> Finding:
    """Say who works."""
    if names:
        return Finding("ok", "workers", f"{len(names)} alive: {', '.join(names[:10])}")
    fix = "Start one: python -m worker up, or python -m tasks."
    return Finding("warning", "workers", "none is alive: events wait", fix)


def of_strangers(waiting: DatasetCounts, configured: Collection[str]) -> Iterator[Finding]:
    """Warn of events that wait for a dataset that is configured nowhere: its id may be mistyped."""
    if waiting.stored and waiting.dataset_id not in configured:
        known = ", ".join(sorted(configured)[:20]) or "none"
        finding = f"{waiting.stored} event(s) wait, and it is not configured; configured: {known}"
        fix = "Add it with its token, or correct the id where the events are enqueued."
        yield Finding("warning", f"dataset {waiting.dataset_id}", finding, fix)


def of_dead_letters(counts: DatasetCounts, most: int, *, drops: bool) -> Iterator[Finding]:
    """Warn of a dataset whose dead letters come near what it may have."""
    share = counts.dead_letters / most
    if share < _NEAR:
        return
    then = "the oldest are dropped" if drops else "its delivery pauses (dead_full)"
    finding = f"{counts.dead_letters} dead letters of {most} that it may have: then {then}"
    fix = "`dead groups` names the causes: mend them, then `dead replay` or `dead purge`."
    yield Finding("problem" if share >= 1 and not drops else "warning", f"dataset {counts.dataset_id}", finding, fix)


def of_memory_of_deliveries(remembered: int, forgotten: int, cap_bytes: int) -> Iterator[Finding]:
    """Say whether what was delivered is remembered for as long as ``dedup_seconds`` says."""
    used = remembered * REMEMBERED_BYTES
    finding = f"{remembered} delivered events are remembered ({used} of {cap_bytes} bytes)"
    if used < cap_bytes * _CROWDED or not cap_bytes:
        yield Finding("ok", "duplicates", finding)
        return
    fix = "Raise CAPI_DEDUP_BYTES if the server has the memory, or shorten dedup_seconds in the datasets file."
    yield Finding("warning", "duplicates", f"{finding}, {forgotten} were forgotten before their time", fix)


def _fix(settings: Settings, error: StoreUnavailable) -> str:
    if settings.embedded:
        return "Start it with `python -m worker up`, or set CAPI_REDIS_URL."
    if "AuthenticationError" in str(error):  # it names what redis-py raised
        return fix_of_login("CAPI_REDIS_URL")
    return "Start the server, or correct CAPI_REDIS_URL."


def _of_contents(settings: Settings, store: Store) -> Iterator[Finding]:
    try:
        datasets = Datasets(settings)
    except MisconfiguredError:  # told elsewhere
        return
    configured, forgotten = datasets.ids(), 0
    for counts in store.overview.read(store.admin.dataset_ids()):
        forgotten += counts.counters.get("forgotten", 0)
        dataset = datasets.get(counts.dataset_id)
        if configured:
            yield from of_strangers(counts, configured)
        drops = dataset is not None and dataset.dead_full == "drop_oldest"
        yield from of_dead_letters(counts, settings.dead_letters, drops=drops)
    yield from of_memory_of_deliveries(store.server.remembered(), forgotten, settings.dedup_bytes)
