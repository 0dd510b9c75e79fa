"""Times as the cells of a table write them, made Unix seconds: pure."""

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

FORMATS: Final = ("auto", "unix", "unix_ms", "iso")
"""Those with a name; any other is strptime's."""
_DIGITS: Final = re.compile(r"\d{1,13}", re.ASCII)


class RowError(ValueError):
    """A row is no event; the message holds no value of it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Times:
    """How the file writes times."""

    format: str = "auto"
    """``auto``, ``unix``, ``unix_ms``, ``iso``, or strptime's."""
    zone: tzinfo | None = None
    """Of times that name none."""

    def seconds(self, text: str) -> int:
        """Return Unix seconds; raises RowError."""
        try:
            if _DIGITS.fullmatch(text) and self.format in ("auto", "unix", "unix_ms"):
                return int(text) // (1000 if self.format == "unix_ms" else 1)
            if self.format in ("auto", "iso"):
                moment = datetime.fromisoformat(text)
            elif "%" in self.format:
                moment = datetime.strptime(text, self.format)  # noqa: DTZ007 - the zone is looked at below
            else:
                raise ValueError  # noqa: TRY301 - told below, with all others
            if moment.tzinfo is None:
                if self.zone is None:
                    raise RowError("bad_time", "the time names no zone: set timezone under [times] in the mapping")
                moment = moment.replace(tzinfo=self.zone)
            return int(moment.timestamp())
        except (ValueError, OverflowError) as error:
            if isinstance(error, RowError):
                raise
            raise RowError("bad_time", f"the time is not written as {self.format}") from None
