"""What a visitor's request says for the event it leads to: address, browser, click and browser id, page.

    context = request_context(request, trusted_proxies=("10.0.0.0/8",))
    receipt = producer.enqueue(context.apply(event))

Ask for it only where the visitor has consented to what the pixel on the same page would do.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from capi_relay.click_ids import FBC_COOKIE_SECONDS, current_fbc, fbclid_in, is_fbp
from capi_relay.client_ip import Network, Proxies, address_in, best_address, client_address, proxies_of
from capi_relay.fields import BY_NAME, squeezed
from capi_relay.pixel import pixel_call
from capi_relay.web_request import WebRequest, read

__all__ = ["FBC_COOKIE_SECONDS", "RequestContext", "pixel_call", "request_context"]


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The visitor's side of an event. Its ``repr`` shows none of it, so that no log does."""

    user_data: Mapping[str, str] = field(repr=False)
    """What there is of ``client_ip_address``, ``client_user_agent``, ``fbc`` and ``fbp``."""
    event_source_url: str | None = field(default=None, repr=False)
    """The URL of the request itself; for a call from a page's script this is not the page."""
    referrer_url: str | None = field(default=None, repr=False)
    set_cookie_fbc: str | None = field(default=None, repr=False)
    """A new click id: set it as the cookie ``_fbc`` for ``FBC_COOKIE_SECONDS``, readable by scripts."""

    def apply(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return a copy of the event with what it lacks; what it says itself stays.

        An event that did not happen on the website (another ``action_source``) gets nothing: the request is not its
        customer's, or Meta takes no such data there.
        """
        filled = dict(event)
        if (event.get("action_source") or "website") != "website":
            return filled
        for key in ("event_source_url", "referrer_url"):
            value = getattr(self, key)
            if value and not event.get(key):
                filled[key] = value
        given = event.get("user_data") or {}
        if isinstance(given, Mapping):
            # An app may use a longer name of the same thing, which the producer knows as well.
            said = {BY_NAME.get(squeezed(key)) for key, value in given.items() if value}
            filled["user_data"] = {**given, **{key: value for key, value in self.user_data.items() if key not in said}}
        return filled


def request_context(
    request: object,
    *,
    trusted_proxies: int | str | Iterable[str | Network] = (),
    click_time_ms: int | None = None,
) -> RequestContext:
    """Read a request of Django, Flask, Starlette or FastAPI, a WSGI environ or an ASGI scope.

    Args:
        request: It is not changed, and its body is not read.
        trusted_proxies: The networks of the proxies in front of the app, or how many proxies there are if nobody can
            reach the app past them. Without it, ``X-Forwarded-*`` headers are not believed.
        click_time_ms: When the visitor came with the click id, in Unix milliseconds; now where it is left out.

    Raises:
        TypeError: It is no such request.
        MisconfiguredError: ``trusted_proxies`` is neither networks nor a number.
    """
    seen, proxies = read(request), proxies_of(trusted_proxies)
    referrer = seen.headers.get("referer")
    now_ms = time.time_ns() // 1_000_000 if click_time_ms is None else click_time_ms
    fbclid = fbclid_in(seen.target) or fbclid_in(referrer or "")
    fbc, is_new = current_fbc(seen.cookie("_fbc"), fbclid, now_ms)
    fbp = seen.cookie("_fbp") or ""
    user_data = {
        "client_ip_address": _client_ip(seen, proxies),
        "client_user_agent": seen.headers.get("user-agent"),
        "fbc": fbc,
        "fbp": fbp if is_fbp(fbp) else None,
    }
    return RequestContext(
        user_data={key: value for key, value in user_data.items() if value},
        event_source_url=seen.url(proxies),
        referrer_url=referrer or None,
        set_cookie_fbc=fbc if is_new else None,
    )


def _client_ip(seen: WebRequest, proxies: Proxies) -> str | None:
    """Return the visitor's address: IPv6 where one is known, and of one kind the connection's before the cookie's.

    Meta's parameter builder leaves in ``_fbi`` the address that the browser found out, perhaps with its appendix.
    """
    cookie = seen.cookie("_fbi") or ""
    told = address_in(cookie) or address_in(cookie.rpartition(".")[0])
    return best_address(
        client_address(seen.peer, seen.headers.get("x-forwarded-for", ""), proxies),
        told,
    )
