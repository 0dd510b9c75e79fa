"""Requests as the frameworks themselves make them. A framework that is not installed has its test skipped."""

import io
from typing import Any

import pytest

from capi_relay.browser import RequestContext, request_context
from tests.fakes.events import FBP, USER_AGENT

PROXIES = ("10.0.0.0/8",)
HEADERS = {
    "Host": "shop.example.com",
    "User-Agent": USER_AGENT,
    "Cookie": f"theme=dark; _fbp={FBP}",
    "Referer": "https://shop.example.com/?fbclid=IwAR-1_x",
    "X-Forwarded-For": "1.2.3.4, 203.0.113.7",
    "X-Forwarded-Proto": "https",
}
SCOPE = {
    "type": "http",
    "method": "GET",
    "scheme": "http",
    "path": "/café",
    "query_string": b"order=7",
    "root_path": "",
    "headers": [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()],
    "client": ("10.0.0.1", 50_000),
    "server": ("10.0.0.3", 8000),
}
EXPECTED = RequestContext(
    user_data={
        "client_ip_address": "203.0.113.7",
        "client_user_agent": USER_AGENT,
        "fbc": "fb.1.1763800000123.IwAR-1_x",
        "fbp": FBP,
    },
    event_source_url="https://shop.example.com/caf%C3%A9?order=7",
    referrer_url="https://shop.example.com/?fbclid=IwAR-1_x",
    set_cookie_fbc="fb.1.1763800000123.IwAR-1_x",
)


def seen(request: object) -> RequestContext:
    return request_context(request, trusted_proxies=PROXIES, click_time_ms=1_763_800_000_123)


@pytest.fixture(scope="module")
def django_request() -> Any:  # noqa: ANN401 - Django is not typed
    """Return Django's modules, configured."""
    settings = pytest.importorskip("django.conf").settings
    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["shop.example.com"])
    return pytest.importorskip("django.test.client"), pytest.importorskip("django.core.handlers.asgi")


def test_a_request_of_django_is_read(django_request: Any) -> None:  # noqa: ANN401 - Django is not typed
    client, _ = django_request
    request = client.RequestFactory().get("/café?order=7", headers=HEADERS, REMOTE_ADDR="10.0.0.1")

    assert seen(request) == EXPECTED


def test_a_request_of_django_under_asgi_is_read(django_request: Any) -> None:  # noqa: ANN401 - Django is not typed
    _, asgi = django_request
    request = asgi.ASGIRequest(SCOPE, io.BytesIO())

    assert seen(request) == EXPECTED


def test_a_request_of_flask_is_read() -> None:
    flask = pytest.importorskip("flask")
    app = flask.Flask("shop")
    with app.test_request_context("/café?order=7", headers=HEADERS, environ_base={"REMOTE_ADDR": "10.0.0.1"}):
        found = seen(flask.request)

    assert found == EXPECTED


def test_a_request_of_starlette_and_so_of_fastapi_is_read() -> None:
    requests = pytest.importorskip("starlette.requests")

    assert seen(requests.Request(SCOPE)) == EXPECTED
