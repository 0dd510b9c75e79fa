"""What a producer says of a URL that it cannot use: at once, and without repeating it."""

import pytest

from capi_relay import MisconfiguredError, Producer


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:6379",
        "http://127.0.0.1:6379/0",
        "redis://:pass/word@127.0.0.1:6379/0",
        "redis://127.0.0.1:6379/0?unheard_of=word",
        "rediss://127.0.0.1:6379/0?ssl_cert_reqs=word",
    ],
)
def test_it_is_refused_at_the_start_and_not_repeated(url: str) -> None:
    with pytest.raises(MisconfiguredError, match="CAPI_REDIS_URL") as caught:
        Producer(url)

    assert "word" not in str(caught.value)
    assert caught.value.__suppress_context__
