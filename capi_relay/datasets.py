"""The datasets file: one ``[[dataset]]`` table a dataset, checked as a whole and read again when it changes."""

import logging
import re
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capi_relay.errors import MisconfiguredError
from capi_relay.watched_file import WatchedFile

TOKEN_KEYS = ("token", "token_file", "token_env")
MAX_LANES = 32
MAX_LINGER_SECONDS = 3600
MAX_DEDUP_SECONDS = 7 * 24 * 3600  # Meta takes no older event (Meta: server-event), so none older can come twice

Tables = Mapping[str, Mapping[str, Any]]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DatasetDefaults:
    """What the producer applies to a dataset's events."""

    dataset_id: str
    lanes: int = 1
    linger_seconds: float | None = None
    default_country: str | None = None
    data_processing_options: tuple[str, ...] | None = None
    data_processing_options_country: int | None = None
    data_processing_options_state: int | None = None
    coerce_times: bool | None = None
    """Whether milliseconds and ISO 8601 times are converted; None: as the producer was told."""
    match_variants: bool | None = None
    """Whether both readings of an ambiguous value are hashed; None: as the producer was told."""


class DatasetFile:
    """The file's tables as they now stand; without a path there are none.

    A file that becomes unreadable or wrong while the process runs is reported once, and its last good content stays.
    """

    def __init__(self, path: str | Path | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the file.

        Raises:
            MisconfiguredError: all that is wrong with it, in one message.
        """
        self._file = None if path is None else WatchedFile(path, clock)
        # One object, so that threads never see the bytes of one version with the tables of another.
        self._seen: tuple[bytes | None, Tables] = (None, {})
        if self._file is not None:
            content = self._file.look()
            self._seen = (content, _parse(self._file, content))

    def tables(self) -> Tables:
        """Return the validated tables by dataset id; as long as the file does not change, the same object."""
        if self._file is None:
            return {}
        content = self._file.look()
        seen, tables = self._seen
        if content is not seen:
            try:
                tables = _parse(self._file, content)
            except MisconfiguredError as error:
                _log.warning("The datasets file changed and is not used, the former content stays: %s", error)
            self._seen = (content, tables)
        return tables

    def get(self, dataset_id: str) -> DatasetDefaults:
        """Return a dataset's defaults; plain ones for a dataset the file does not name."""
        table = self.tables().get(dataset_id, {})
        options = table.get("data_processing_options")
        return DatasetDefaults(
            dataset_id=dataset_id,
            lanes=table.get("lanes", 1),
            linger_seconds=table.get("linger_seconds"),
            default_country=table.get("default_country"),
            data_processing_options=None if options is None else tuple(options),
            data_processing_options_country=table.get("data_processing_options_country"),
            data_processing_options_state=table.get("data_processing_options_state"),
            coerce_times=table.get("coerce_times"),
            match_variants=table.get("match_variants"),
        )


def _parse(file: WatchedFile, content: bytes | None) -> Tables:
    name = f"the datasets file {file.path}"
    if content is None:
        raise MisconfiguredError(f"{name} cannot be read: {file.problem}")
    try:
        document = tomllib.loads(content.decode())
    except UnicodeDecodeError:
        raise MisconfiguredError(f"{name} is not UTF-8 text") from None
    except (ValueError, RecursionError) as error:  # a plain ValueError too: an integer of more digits than Python reads
        # Not chained: from Python 3.14 the error carries the whole document, tokens included.
        raise MisconfiguredError(f"{name} is not TOML: {error.args[0]}") from None
    if problems := _problems(document):
        raise MisconfiguredError("\n  ".join([f"{name} has {len(problems)} problem(s):", *problems]))
    return {table["id"]: table for table in document.get("dataset", ())}


def _problems(document: Mapping[str, Any]) -> list[str]:
    """Return a sentence for everything that is wrong; of the values only ids are repeated."""
    tables = document.get("dataset", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        return ["dataset: expected tables, each headed [[dataset]]"]
    problems = [f"{key}: unknown, only [[dataset]] tables are read" for key in document if key != "dataset"]
    for number, table in enumerate(tables, start=1):
        name = f"dataset {number} ({table['id']})" if _is_id(table.get("id")) else f"dataset {number}"
        problems += [f"{name}: {problem}" for problem in _table_problems(table)]
    ids = Counter(table["id"] for table in tables if _is_id(table.get("id")))
    problems += [f"dataset id {dataset_id} stands {times} times" for dataset_id, times in ids.items() if times > 1]
    return problems


def _table_problems(table: Mapping[str, Any]) -> Iterable[str]:
    if "id" not in table:
        yield f"id: missing, expected {_EXPECTED['id'][1]}"
    for key, value in table.items():
        if key not in _EXPECTED:
            yield f"{key}: unknown, expected one of {', '.join(_EXPECTED)}"
        elif not _EXPECTED[key][0](value):
            yield f"{key}: expected {_EXPECTED[key][1]}"
    if len(given := [key for key in TOKEN_KEYS if key in table]) > 1:
        yield f"{' and '.join(given)}: keep one of them"
    place = ("data_processing_options_country", "data_processing_options_state")
    # Meta: data-processing-options. With one of the two Meta ignores it; without LDU they mean nothing.
    if table.get("data_processing_options"):
        yield from (f"{key}: missing, 0 lets Meta find the place" for key in place if key not in table)
    else:
        yield from (f'{key}: needs data_processing_options = ["LDU"]' for key in place if key in table)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9]{1,32}", value) is not None


def _text(pattern: str) -> Callable[[object], bool]:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _are_domains(value: object) -> bool:
    return isinstance(value, list) and all(_IS_DOMAIN(each) for each in value)


def _number(low: int, high: int, *kinds: type) -> Callable[[object], bool]:
    # type() too, because a TOML true is an int to isinstance.
    return lambda value: isinstance(value, int | float) and type(value) in kinds and low <= value <= high


_IS_DOMAIN = _text(r"(?!-)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
# What a table may hold: key -> (is this value right, what is expected).
_EXPECTED: dict[str, tuple[Callable[[object], bool], str]] = {
    "id": (_is_id, 'the dataset\'s id, up to 32 digits in quotes: "1234567890"'),
    "token": (_text(r"\S+"), "an access token"),
    "token_file": (_text(r"[^\x00]+"), "the path of a file that holds the access token"),
    "token_env": (_text(r"[A-Za-z_][A-Za-z0-9_]*"), "the name of an environment variable that holds the access token"),
    "test_event_code": (_text(r"[!-~]{1,100}"), "the code that Events Manager shows, for example TEST12345"),
    "linger_seconds": (_number(0, MAX_LINGER_SECONDS, int, float), f"a number from 0 to {MAX_LINGER_SECONDS}"),
    "lanes": (_number(1, MAX_LANES, int), f"a whole number from 1 to {MAX_LANES}"),
    "default_country": (_text(r"[A-Za-z]{2}"), 'a country\'s two letters (ISO 3166): "GB"'),
    "data_processing_options": (lambda value: value in ([], ["LDU"]), '["LDU"] or []'),
    "data_processing_options_country": (_number(0, 1, int), "1 (USA) or 0 (Meta finds it)"),
    "data_processing_options_state": (
        lambda value: _number(1000, 1013, int)(value) or _number(0, 0, int)(value),
        "a state from 1000 (California) to 1013 (Rhode Island), or 0 (Meta finds it)",
    ),
    "coerce_times": (_is_flag, "true or false"),
    "match_variants": (_is_flag, "true or false"),
    "domains": (_are_domains, 'a list of the domains its web events come from: ["shop.example"]'),
    # Meta: partner_agent has fewer than 23 characters, two letters at least.
    "partner_agent": (
        _text(r"(?=(.*[A-Za-z]){2})[!-~]{2,22}"),
        "2 to 22 characters without spaces, two letters at least",
    ),
    "dedup_seconds": (_number(0, MAX_DEDUP_SECONDS, int), f"a whole number from 0 to {MAX_DEDUP_SECONDS}"),
    "dead_full": (lambda value: value in ("pause", "drop_oldest"), '"pause" or "drop_oldest"'),
    "on_in_doubt": (lambda value: value in ("resend", "hold"), '"resend" or "hold"'),
}
