"""What becomes of a request: one small web server's view of it at a time."""

import time
from collections.abc import Mapping
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from capi_relay.browser import RequestContext, request_context
from capi_relay.errors import MisconfiguredError
from capi_relay.personal import protect
from schemas import problems_of
from tests.fakes.events import FBC, FBP, USER_AGENT, digest, purchase

CLICKED_MS = 1_763_800_000_123
FBCLID = FBC.split(".")[3]


def environ(path: str = "/", query: str = "", *, peer: str = "203.0.113.7", **headers: str) -> dict[str, Any]:
    """Return a WSGI environ of https://shop.example.com."""
    made: dict[str, Any] = {"REMOTE_ADDR": peer, "HTTP_HOST": "shop.example.com", "wsgi.url_scheme": "https"}
    setup_testing_defaults(made)
    return made | {
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
    }


def scope(path: str = "/", query: bytes = b"", *, peer: str = "203.0.113.7", **headers: str) -> dict[str, Any]:
    """Return an ASGI scope of https://shop.example.com."""
    given = {"host": "shop.example.com", **headers}
    return {
        "type": "http",
        "scheme": "https",
        "path": path,
        "raw_path": None,
        "root_path": "",
        "query_string": query,
        "headers": [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in given.items()],
        "client": (peer, 50_000),
        "server": ("10.0.0.3", 8000),
    }


class Holder:
    """A framework's request as far as it is looked at."""

    def __init__(self, **attributes: object) -> None:
        self.__dict__.update(attributes)


BROWSER = {
    "user_agent": USER_AGENT,
    "cookie": f"theme=dark; _fbp={FBP}; _fbc={FBC}.AQQCAQMC",
    "referer": "https://shop.example.com/cart",
}
SEEN = {
    "client_ip_address": "203.0.113.7",
    "client_user_agent": USER_AGENT,
    "fbc": f"{FBC}.AQQCAQMC",
    "fbp": FBP,
}
REQUESTS = {
    "WSGI": environ("/thanks", "order=7", **BROWSER),
    "Werkzeug": Holder(environ=environ("/thanks", "order=7", **BROWSER), headers={}, cookies={}),
    "Django": Holder(
        META=environ("/ignored", "ignored", **BROWSER) | {"wsgi.url_scheme": "http"},
        COOKIES={},
        scheme="https",
        get_full_path=lambda: "/thanks?order=7",
    ),
    "ASGI": scope("/thanks", b"order=7", **BROWSER),
    "Starlette": Holder(scope=scope("/thanks", b"order=7", **BROWSER)),
}


@pytest.mark.parametrize("kind", REQUESTS)
def test_every_kind_of_request_tells_the_same(kind: str) -> None:
    assert request_context(REQUESTS[kind]) == RequestContext(
        user_data=SEEN,
        event_source_url="https://shop.example.com/thanks?order=7",
        referrer_url="https://shop.example.com/cart",
        set_cookie_fbc=None,
    )


@pytest.mark.parametrize("request_", [None, object(), {}, {"path": "/"}, "GET /", Holder(environ=None, scope=7)])
def test_what_is_no_request_is_refused(request_: object) -> None:
    with pytest.raises(TypeError, match="WSGI environ"):
        request_context(request_)


def test_a_request_that_says_nothing_leaves_everything_out() -> None:
    bare = request_context({"REQUEST_METHOD": "GET"})

    assert bare == RequestContext(user_data={})


def test_malformed_cookies_are_left_out() -> None:
    seen = request_context(environ(cookie="_fbp=GA1.1.2.3; _fbc=fb.1.x; =; odd; _fb"))

    assert seen.user_data.keys() == {"client_ip_address"}


def test_an_odd_cookie_before_does_not_hide_those_after_it() -> None:
    seen = request_context(environ(cookie=f'bad name={{"a": 1}}; ;; _fbp="{FBP}";_fbc={FBC}'))

    assert (seen.user_data["fbp"], seen.user_data["fbc"]) == (FBP, FBC)


def test_cookies_may_be_joined_by_commas() -> None:
    seen = request_context(environ(cookie=f"theme=dark,_fbp={FBP},_fbc={FBC},"))

    assert (seen.user_data["fbp"], seen.user_data["fbc"]) == (FBP, FBC)


def test_a_click_makes_a_click_id_of_now_and_a_cookie() -> None:
    before_ms = int(time.time() * 1000)
    seen = request_context(environ("/", f"fbclid={FBCLID}"))

    version, index, clicked_ms, fbclid = seen.user_data["fbc"].split(".")
    assert (version, index, fbclid) == ("fb", "1", FBCLID)
    assert before_ms <= int(clicked_ms) <= time.time() * 1000
    assert seen.set_cookie_fbc == seen.user_data["fbc"]


def test_the_time_of_the_click_can_be_given() -> None:
    seen = request_context(scope("/", f"fbclid={FBCLID}".encode()), click_time_ms=CLICKED_MS)

    assert seen.user_data["fbc"] == f"fb.1.{CLICKED_MS}.{FBCLID}"


def test_the_click_is_found_in_the_referring_page_too() -> None:
    seen = request_context(
        environ("/api/cart", referer=f"https://shop.example.com/?fbclid={FBCLID}"), click_time_ms=CLICKED_MS
    )

    assert seen.set_cookie_fbc == f"fb.1.{CLICKED_MS}.{FBCLID}"


def test_the_click_that_the_cookie_knows_makes_no_new_one() -> None:
    seen = request_context(environ("/", f"fbclid={FBCLID}", cookie=f"_fbc={FBC}.AQQCAQMC"), click_time_ms=CLICKED_MS)

    assert (seen.user_data["fbc"], seen.set_cookie_fbc) == (f"{FBC}.AQQCAQMC", None)


def test_another_click_replaces_the_cookies() -> None:
    seen = request_context(environ("/", "fbclid=IwOther", cookie=f"_fbc={FBC}"), click_time_ms=CLICKED_MS)

    assert seen.set_cookie_fbc == f"fb.1.{CLICKED_MS}.IwOther"


def test_headers_of_a_stranger_are_not_believed() -> None:
    seen = request_context(
        environ(peer="198.51.100.9", x_forwarded_for="203.0.113.7", x_forwarded_host="evil.example.com"),
        trusted_proxies=("10.0.0.0/8",),
    )

    assert seen.user_data["client_ip_address"] == "198.51.100.9"
    assert seen.event_source_url == "https://shop.example.com/"


@pytest.mark.parametrize("make", [environ, scope])
def test_a_trusted_proxy_says_who_asked_and_for_which_url(make: Any) -> None:  # noqa: ANN401 - either of two
    proxied = make(
        peer="10.0.0.1", host="app:8000", x_forwarded_for="1.2.3.4, 2001:db8::7", x_forwarded_host="shop.example.com"
    )
    seen = request_context(proxied, trusted_proxies=("10.0.0.0/8",))

    assert seen.user_data["client_ip_address"] == "2001:db8::7"
    assert seen.event_source_url == "https://shop.example.com/"


def test_a_trusted_proxy_says_that_it_was_https() -> None:
    plain = environ(peer="10.0.0.1", x_forwarded_proto="https") | {"wsgi.url_scheme": "http"}

    assert request_context(plain).event_source_url == "http://shop.example.com/"
    assert request_context(plain, trusted_proxies=1).event_source_url == "https://shop.example.com/"


def test_a_private_address_is_left_out() -> None:
    assert "client_ip_address" not in request_context(environ(peer="192.168.1.20")).user_data


@pytest.mark.parametrize("cookie", ["2001:db8::7", "2001:db8::7.AQ", "2001:db8::7.AQQCAQMC"])
def test_the_ipv6_address_that_the_browser_found_is_preferred(cookie: str) -> None:
    seen = request_context(environ(peer="203.0.113.7", cookie=f"_fbi={cookie}"))

    assert seen.user_data["client_ip_address"] == "2001:db8::7"


@pytest.mark.parametrize("cookie", ["198.51.100.1", "198.51.100.1.AQQCAQMC", "fd00::1", "rubbish"])
def test_another_address_in_a_cookie_does_not_replace_the_connections(cookie: str) -> None:
    assert request_context(environ(cookie=f"_fbi={cookie}")).user_data["client_ip_address"] == "203.0.113.7"


def test_a_wrong_setting_is_refused_at_the_first_request() -> None:
    with pytest.raises(MisconfiguredError):
        request_context(environ(), trusted_proxies=("everybody",))


def test_cookies_and_proxies_may_come_in_several_headers() -> None:
    split = scope(peer="10.0.0.1")
    split["headers"] += [
        (b"cookie", b"_fbp=" + FBP.encode()),
        (b"cookie", b"_fbc=" + FBC.encode()),
        (b"x-forwarded-for", b"203.0.113.7"),
        (b"x-forwarded-for", b"10.0.0.9"),
        (b"accept", b"*/*"),
        (b"user-agent", b"one"),
        (b"user-agent", b"two"),
    ]
    seen = request_context(split, trusted_proxies=("10.0.0.0/8",))

    assert seen.user_data == {"client_ip_address": "203.0.113.7", "client_user_agent": "one", "fbc": FBC, "fbp": FBP}


@pytest.mark.parametrize(
    ("request_", "url"),
    [
        (environ("/caf\u00c3\u00a9", "q=1"), "https://shop.example.com/caf%C3%A9?q=1"),
        (environ("/b") | {"SCRIPT_NAME": "/a"}, "https://shop.example.com/a/b"),
        (environ(host="shop.example.com:8443"), "https://shop.example.com:8443/"),
        (environ(host="[2001:db8::1]:8443"), "https://[2001:db8::1]:8443/"),
        (environ(host="shop example.com"), None),
        (environ(host="shop.example.com/evil?"), None),
        (environ() | {"HTTP_HOST": "", "SERVER_NAME": "internal", "SERVER_PORT": "8080"}, "https://internal:8080/"),
        (environ() | {"HTTP_HOST": "", "SERVER_NAME": "internal", "SERVER_PORT": "443"}, "https://internal/"),
        (scope("/caf\u00e9", b"q=1"), "https://shop.example.com/caf%C3%A9?q=1"),
        (scope("/x") | {"raw_path": b"/%2Fx?no"}, "https://shop.example.com/%2Fx"),
        (scope() | {"scheme": "wss", "type": "websocket"}, "https://shop.example.com/"),
        (scope() | {"headers": []}, "https://10.0.0.3:8000/"),
        (scope() | {"headers": [], "server": ("/run/app.sock", None)}, None),
        (scope() | {"headers": [], "server": None, "client": None}, None),
    ],
)
def test_the_url_is_the_one_the_visitor_asked_for(request_: Mapping[str, Any], url: str | None) -> None:
    assert request_context(request_).event_source_url == url


def test_half_a_character_in_a_header_does_not_cost_the_event() -> None:
    seen = request_context(environ("/\udcff", "q=\udcff", user_agent="a\udcffb", referer="\udcff"))

    assert seen.user_data["client_user_agent"] == "ab"
    assert seen.event_source_url == "https://shop.example.com/%3F?q="
    assert seen.referrer_url is None


def test_a_log_of_it_shows_nothing_of_the_visitor() -> None:
    assert repr(request_context(REQUESTS["WSGI"])) == "RequestContext()"


def test_an_event_gets_what_it_lacks() -> None:
    event = {"event_name": "Lead", "action_source": "website", "user_data": {"em": digest("ada@example.com")}}
    filled = request_context(REQUESTS["WSGI"]).apply(event)

    assert filled == {
        "event_name": "Lead",
        "action_source": "website",
        "event_source_url": "https://shop.example.com/thanks?order=7",
        "referrer_url": "https://shop.example.com/cart",
        "user_data": {"em": digest("ada@example.com"), **SEEN},
    }
    assert event["user_data"] == {"em": digest("ada@example.com")}


def test_what_the_event_says_itself_stays() -> None:
    event = purchase(referrer_url="https://search.example.com/")

    assert request_context(REQUESTS["WSGI"]).apply(event) == event


def test_an_absent_value_is_filled_and_another_name_of_it_is_not() -> None:
    event = {
        "event_source_url": None,
        "user_data": {"fbc": None, "fbp": "", "user_agent": "curl/8", "client_ip": "198.51.100.1"},
    }
    filled = request_context(REQUESTS["WSGI"]).apply(event)

    assert filled["event_source_url"] == "https://shop.example.com/thanks?order=7"
    assert filled["user_data"] == {
        "fbc": SEEN["fbc"],
        "fbp": FBP,
        "user_agent": "curl/8",
        "client_ip": "198.51.100.1",
    }


@pytest.mark.parametrize("user_data", [None, {}])
def test_an_event_without_user_data_gets_some(user_data: dict[str, str] | None) -> None:
    assert request_context(REQUESTS["WSGI"]).apply({"user_data": user_data})["user_data"] == SEEN


@pytest.mark.parametrize("action_source", ["business_messaging", "physical_store", "system_generated", "app"])
def test_an_event_that_did_not_happen_on_the_website_gets_nothing(action_source: str) -> None:
    event = {"action_source": action_source, "user_data": {"em": digest("ada@example.com")}}

    assert request_context(REQUESTS["WSGI"]).apply(event) == event


def test_user_data_that_is_no_object_is_left_to_the_producer() -> None:
    assert request_context(REQUESTS["WSGI"]).apply({"user_data": "ada"})["user_data"] == "ada"


def test_meta_would_take_a_filled_event_with_nothing_left_out() -> None:
    event = {
        "event_name": "Purchase",
        "event_time": 1_763_800_000,
        "action_source": "website",
        "custom_data": {"value": 1, "currency": "EUR"},
    }
    safe, warnings = protect(request_context(REQUESTS["ASGI"]).apply(event))

    assert (problems_of(safe), warnings) == ([], ())
