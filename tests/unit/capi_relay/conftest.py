"""The documented rules alone, with the extra ``capi-relay[phone]`` installed or not: what they say never varies."""

import pytest

from capi_relay import phone_library


@pytest.fixture(autouse=True)
def _without_the_phone_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone_library, "_library", lambda: None)
