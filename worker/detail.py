"""Read from an answer what is worth keeping of it, for dead letters, logs and metrics."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from worker.answer import Response
from worker.redact import safe_text

_TRACE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_FIELDS = 10


@dataclass(frozen=True, slots=True)
class Detail:
    """What of an answer is worth keeping."""

    code: int | None
    subcode: int | None
    title: str
    """One line of at most 200 characters, with nothing personal or secret in it; perhaps not in English."""
    fbtrace_id: str | None
    status: int | None
    fields: tuple[str, ...] = ()
    """The fields that Meta blames, where it names any: ``custom_data.currency``."""


def detail_of(answer: Response, body: Mapping[str, object], error: Mapping[str, object]) -> Detail:
    """Return the detail of an answer, given its body and the error object in it (empty: there is none)."""
    title = _text(error.get("error_user_title")) or _text(error.get("message")) or f"HTTP {answer.status}"
    trace_ids = (error.get("fbtrace_id"), body.get("fbtrace_id"), answer.headers.get("x-fb-trace-id"))
    return Detail(
        code=_code(error.get("code")),
        subcode=_code(error.get("error_subcode")),
        title=title,
        fbtrace_id=next((name for name in trace_ids if isinstance(name, str) and _TRACE_ID.fullmatch(name)), None),
        status=answer.status,
        fields=_blamed_fields(error.get("error_data")),
    )


def object_in(text: bytes | str) -> dict[str, object]:
    """Return the JSON object that the text is, or an empty one for anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _blamed_fields(data: object) -> tuple[str, ...]:
    """Return the paths in error_data, which is an object or the JSON text of one (Meta: error-handling)."""
    if isinstance(data, str):
        data = object_in(data)
    specs = data.get("blame_field_specs") if isinstance(data, dict) else None
    paths = [path for path in specs if isinstance(path, list)] if isinstance(specs, list) else []
    names = (".".join(part for part in path if isinstance(part, str)) for path in paths[:_MOST_FIELDS])
    return tuple(filter(None, (safe_text(name, 100) for name in names)))


def _code(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31 else None


def _text(value: object) -> str:
    return safe_text(value) if isinstance(value, str) else ""
