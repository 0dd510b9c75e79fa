"""The visitor's IP address: behind the proxies one trusts, and only if it is one of the public internet; pure.

``X-Forwarded-For`` is read from right to left, because only what trusted proxies have appended on the right is true:
whoever asks may have written anything on the left.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from capi_relay.errors import MisconfiguredError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Proxies = int | tuple[Network, ...]
"""The networks of the proxies in front of the app; or how many proxies there are, where nobody can go round them."""

# Kept for documentation (RFC 5737, RFC 3849): no visitor comes from there, but the tests of a web app do.
_DOCUMENTATION: Final = tuple(
    map(ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")),
)


def address_in(text: str) -> Address | None:
    """Return the address that an element of ``X-Forwarded-For`` or a peer's name holds, or None.

    A port, brackets and an IPv6 zone are taken off; an IPv4 address inside an IPv6 one (``::ffff:``) comes out.
    """
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def is_public(address: Address) -> bool:
    """Tell whether a visitor can come from it: no private, loopback, link-local, multicast or reserved address."""
    if any(address in network for network in _DOCUMENTATION):
        return True
    return address.is_global and not address.is_multicast


def proxies_of(trusted_proxies: int | str | Iterable[str | Network]) -> Proxies:
    """Return what a setting says of the proxies.

    Raises:
        MisconfiguredError: It is neither networks nor a number of proxies.
    """
    if not isinstance(trusted_proxies, int):
        given = (trusted_proxies,) if isinstance(trusted_proxies, str) else trusted_proxies
        return _networks(tuple(map(str, given)))
    if trusted_proxies < 0:
        raise MisconfiguredError("trusted_proxies: a number of proxies is 0 or more")
    return trusted_proxies


@lru_cache(maxsize=64)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(text, strict=False) for text in texts)
    except ValueError:
        raise MisconfiguredError(
            "trusted_proxies: expected networks or addresses, as in ('10.0.0.0/8', '2001:db8::7'), or a number"
        ) from None


def is_trusted(peer: str, proxies: Proxies) -> bool:
    """Tell whether what the peer says of the request before it may be believed."""
    return proxies > 0 if isinstance(proxies, int) else _is_in(address_in(peer), proxies)


def client_address(peer: str, forwarded_for: str, proxies: Proxies) -> Address | None:
    """Return the address of the first one, seen from the app, that is no trusted proxy.

    None where it cannot be known: a trusted proxy names none or writes no address, and its own is not the visitor's.

    Args:
        peer: Who opened the connection; empty on a unix socket.
        forwarded_for: ``X-Forwarded-For``, several such headers joined by commas.
        proxies: Whom to trust.
    """
    if not is_trusted(peer, proxies):
        return address_in(peer)
    hops = [hop for hop in forwarded_for.split(",") if hop.strip()]
    if isinstance(proxies, int):
        return address_in(hops[-proxies:][0]) if hops else None
    address = None
    for hop in reversed(hops):
        address = address_in(hop)
        if not _is_in(address, proxies):
            break
    return address


def best_address(*addresses: Address | None) -> str | None:
    """Return the first public IPv6 address, which Meta prefers, else the first public one, or None."""
    public = [address for address in addresses if address is not None and is_public(address)]
    found = next((address for address in public if isinstance(address, IPv6Address)), None) or next(iter(public), None)
    return None if found is None else str(found)


def _is_in(address: Address | None, networks: Iterable[Network]) -> bool:
    return address is not None and any(address in network for network in networks)
