"""The datasets this worker delivers for, with their access tokens: the file's and the short form's, as they are now."""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from capi_relay.datasets import TOKEN_KEYS, DatasetFile
from capi_relay.errors import MisconfiguredError
from capi_relay.watched_file import WatchedFile
from worker.settings import Settings
from worker.tokens import AccessToken

DEDUP_SECONDS = 48 * 3600  # for so long Meta pairs events (Meta: deduplicate-pixel-and-server-events)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset and how its events are delivered."""

    dataset_id: str
    token: AccessToken | None
    """None: there is none yet, and the dataset's events wait."""
    test_event_code: str | None
    partner_agent: str | None
    linger_seconds: float
    lanes: int
    dedup_seconds: int
    """For how long after its delivery a second event of the same name and id counts as a duplicate; 0: never."""
    on_in_doubt: Literal["resend", "hold"]
    """What happens to events that Meta may or may not have taken."""
    default_country: str | None
    dead_full: Literal["pause", "drop_oldest"] = "pause"
    """What happens when the dataset has as many dead letters as it may have."""
    domains: tuple[str, ...] = ()
    """Where its web events come from, subdomains included; none: the linter does not look."""


class Datasets:
    """Looks datasets up. All files are looked at again each second, so that a new token needs no restart."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the datasets file and every token.

        Raises:
            MisconfiguredError: all that is wrong with the file, or else with the tokens, in one message.
        """
        self._linger_seconds = settings.linger_seconds
        self._clock = clock
        self._file = DatasetFile(settings.datasets_path, clock=clock)
        self._folder = Path() if settings.datasets_path is None else settings.datasets_path.parent
        self._short = _short_form(settings)
        self._token_files: dict[Path, WatchedFile] = {}
        self._refused: dict[str, str] = {}
        if problems := list(self._problems()):
            raise MisconfiguredError("\n  ".join([f"{len(problems)} access token(s) to correct:", *problems]))

    def ids(self) -> list[str]:
        """Return the ids of all configured datasets."""
        return list(dict.fromkeys([*self._file.tables(), *self._short]))

    def get(self, dataset_id: str) -> Dataset | None:
        """Return a dataset as it now stands, None when it is not configured."""
        table = self._table(dataset_id)
        if table is None:
            return None
        return Dataset(
            dataset_id=dataset_id,
            token=self._token(dataset_id, table),
            test_event_code=table.get("test_event_code"),
            partner_agent=table.get("partner_agent"),
            linger_seconds=table.get("linger_seconds", self._linger_seconds),
            lanes=table.get("lanes", 1),
            dedup_seconds=table.get("dedup_seconds", DEDUP_SECONDS),
            on_in_doubt=table.get("on_in_doubt", "resend"),
            default_country=table.get("default_country"),
            dead_full=table.get("dead_full", "pause"),
            domains=tuple(table.get("domains", ())),
        )

    def sharing(self, dataset: Dataset) -> list[str]:
        """Return the ids of all datasets that have this one's token now, itself included."""
        others = (other for other in map(self.get, self.ids()) if other)
        return [other.dataset_id for other in others if dataset.token and other.token == dataset.token]

    def _table(self, dataset_id: str) -> Mapping[str, Any] | None:
        """Return the dataset's table; what the file leaves out the short form fills in."""
        table = self._file.tables().get(dataset_id)
        short = self._short.get(dataset_id)
        if table is None or short is None:
            return table or short
        if _has_token(table):
            short = {key: value for key, value in short.items() if key not in TOKEN_KEYS}
        return {**short, **table}

    def _token(self, dataset_id: str, table: Mapping[str, Any]) -> AccessToken | None:
        try:
            token = self._read_token(table)
        except MisconfiguredError as error:
            if self._refused.get(dataset_id) != str(error):
                self._refused[dataset_id] = str(error)
                _log.warning("The access token of dataset %s is not used, its events wait: %s", dataset_id, error)
            return None
        self._refused.pop(dataset_id, None)
        return token

    def _read_token(self, table: Mapping[str, Any]) -> AccessToken | None:
        if "token_file" in table:
            path = self._folder / table["token_file"]
            file = self._token_files.setdefault(path, WatchedFile(path, self._clock))
            text = (file.look() or b"").decode(errors="replace").strip()
        elif "token_env" in table:
            text = os.environ.get(table["token_env"], "").strip()
        else:
            text = table.get("token", "")
        return AccessToken(text) if text else None

    def _problems(self) -> Iterator[str]:
        tables = self._file.tables()
        for dataset_id in self._short:
            if _has_token(self._short[dataset_id]) and _has_token(tables.get(dataset_id, {})):
                yield f"dataset {dataset_id}: CAPI_ACCESS_TOKEN and a token in the datasets file: keep one of them"
        for dataset_id in self.ids():
            try:
                self._read_token(self._table(dataset_id) or {})
            except MisconfiguredError as error:
                yield f"dataset {dataset_id}: {error}"


def _short_form(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the table that CAPI_DATASET_ID and its companions stand for, by its id."""
    if settings.dataset_id is None:
        return {}
    table: dict[str, Any] = {}
    if settings.access_token_path is not None:
        table["token_file"] = str(settings.access_token_path.absolute())
    elif settings.access_token is not None:
        table["token"] = settings.access_token.reveal()
    if settings.test_event_code is not None:
        table["test_event_code"] = settings.test_event_code
    return {settings.dataset_id: table}


def _has_token(table: Mapping[str, Any]) -> bool:
    return any(key in table for key in TOKEN_KEYS)
