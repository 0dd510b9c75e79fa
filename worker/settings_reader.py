"""environs as this project reads settings: ``*_FILE`` as the producer does it, all problems kept for one message."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from environs import Env, validate

from capi_relay.environment import value_of
from capi_relay.errors import MisconfiguredError

_T = TypeVar("_T")
_Default = TypeVar("_Default", bound=int | str | None)


class SettingsReader(Env):
    """Reads from the mapping it is given; a setting that is wrong reads as its default and is listed by `problems`."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__(eager=False)
        self.given = given
        self._expected: dict[str, str] = {}

    def text(self, name: str) -> str | None:
        """Return a setting as it stands, None when it is unset or empty."""
        return self.str(name, None)

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """Return a number within bounds."""
        self._expected[name] = f"a number from {low:g} to {high:g}"
        value = self.float(name, None, validate=validate.Range(low, high))
        return default if value is None else value

    def whole(self, name: str, default: _Default, low: int, high: int) -> int | _Default:
        """Return a whole number within bounds."""
        self._expected[name] = f"a whole number from {low} to {high}"
        value = self.int(name, None, validate=validate.Range(low, high))
        return default if value is None else value

    def matching(self, name: str, default: _Default, pattern: str, expected: str) -> str | _Default:
        """Return a text that a pattern matches as a whole; ``expected`` says it in words."""
        self._expected[name] = expected
        value = self.str(name, None, validate=validate.Regexp(rf"(?:{pattern})\Z"))
        return default if value is None else value

    def checked(self, name: str, read: Callable[[], _T]) -> _T | None:
        """Return what ``read`` does, or None where it raises MisconfiguredError."""
        try:
            return read()
        except MisconfiguredError as error:
            self.blame(name, str(error))
            return None

    def file_of(self, name: str) -> Path | None:
        """Return the path of the file that holds a setting, None where the setting stands in the environment."""
        path = self.given.get(f"{name}_FILE", "").strip()
        return Path(path) if path else None

    def is_given(self, name: str) -> bool:
        """Return whether a setting, or its file, is set at all, right or wrong."""
        return bool(self.given.get(name, "").strip()) or self.file_of(name) is not None

    def blame(self, name: str, problem: str) -> None:
        """Keep a problem of a setting; one that already begins with a setting's name is kept as it stands."""
        self._errors[name].append(problem)

    def problems(self) -> list[str]:
        """Return a sentence for each problem, with what was expected instead of the library's general words."""
        return [self._sentence(name, text) for name, texts in self._errors.items() for text in texts]

    def _sentence(self, name: str, text: str) -> str:
        if text.startswith(name):
            return text
        return f"{name}: expected {self._expected[name]}" if name in self._expected else f"{name}: {text}"

    def _get_value(self, env_key: str, default: object) -> object:
        # The library reads os.environ only, and stops at the first file that cannot be read.
        value = self.checked(env_key, lambda: value_of(self.given, env_key))
        return default if value is None else value
