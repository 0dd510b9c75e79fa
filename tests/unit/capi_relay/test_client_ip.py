from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capi_relay.client_ip import Proxies, address_in, best_address, client_address, is_public, is_trusted, proxies_of
from capi_relay.errors import MisconfiguredError

INSIDE = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


def comes_from_outside(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether it is in none of the networks, written as it comes out of a header."""
    return address == address_in(str(address)) and not any(address in network for network in INSIDE)


OUTSIDE = ADDRESSES.filter(comes_from_outside)
PROXIES = st.one_of(st.ip_addresses(network="10.0.0.0/8"), st.ip_addresses(network="fd00::/8"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7 ", "203.0.113.7"),
        ("203.0.113.7:4711", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:203.0.113.7]:80", "203.0.113.7"),
    ],
)
def test_an_address_is_read_in_every_usual_spelling(text: str, expected: str) -> None:
    assert str(address_in(text)) == expected


@pytest.mark.parametrize(
    "text", ["", "-", "unknown", "_hidden", "203.0.113", "203.0.113.256", "[", "::1::", "010.1.1.1"]
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert address_in(text) is None


@given(st.text())
def test_any_text_can_be_looked_at(text: str) -> None:
    found = address_in(text)

    assert found is None or address_in(str(found)) == found


@given(OUTSIDE, st.integers(1, 65535))
def test_an_address_with_a_port_is_the_address(address: IPv4Address | IPv6Address, port: int) -> None:
    host = f"[{address}]" if isinstance(address, IPv6Address) else str(address)

    assert address_in(f"{host}:{port}") == address


NOT_PUBLIC = """
10.1.2.3 172.16.0.1 192.168.1.1 127.0.0.1 169.254.1.1 100.64.0.1 0.0.0.0 224.0.0.1 240.0.0.1
:: ::1 fe80::1 fd12::1 ff0e::1
"""


@pytest.mark.parametrize("text", NOT_PUBLIC.split())
def test_a_visitor_does_not_come_from_an_address_that_is_not_public(text: str) -> None:
    assert not is_public(ip_address(text))
    assert best_address(ip_address(text)) is None


@pytest.mark.parametrize("text", ["1.1.1.1", "203.0.113.7", "2606:4700:4700::1111", "2001:db8::1"])
def test_a_public_address_and_one_kept_for_documentation_are_a_visitors(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        pytest.param("198.51.100.4", "", "198.51.100.4", id="no proxy"),
        pytest.param("198.51.100.4", "203.0.113.7", "198.51.100.4", id="a stranger's header is not believed"),
        pytest.param("10.0.0.1", "203.0.113.7", "203.0.113.7", id="one proxy"),
        pytest.param("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7", id="its address inside an IPv6 one"),
        pytest.param("fd00::1", "2001:db8::7", "2001:db8::7", id="IPv6 throughout"),
        pytest.param("10.0.0.1", "203.0.113.7, 10.9.9.9", "203.0.113.7", id="two proxies"),
        pytest.param("10.0.0.1", "1.2.3.4, 203.0.113.7, 10.9.9.9", "203.0.113.7", id="the left may be invented"),
        pytest.param("10.0.0.1", "203.0.113.7:4711,[fd00::9]:80", "203.0.113.7", id="ports"),
        pytest.param("10.0.0.1", "1.2.3.4, unknown", None, id="what the proxy does not know stays unknown"),
        pytest.param("10.0.0.1", "1.2.3.4, 192.168.7.7", "192.168.7.7", id="a private one is the first untrusted"),
        pytest.param("10.0.0.1", "10.2.2.2, 10.3.3.3", "10.2.2.2", id="somebody inside"),
        pytest.param("10.0.0.1", " , ,", None, id="blanks"),
        pytest.param("10.0.0.1", "", None, id="a proxy that names nobody"),
        pytest.param("", "203.0.113.7", None, id="a unix socket is in no network"),
    ],
)
def test_the_client_is_the_first_from_the_right_that_is_no_trusted_proxy(
    peer: str, forwarded_for: str, expected: str | None
) -> None:
    found = client_address(peer, forwarded_for, INSIDE)

    assert (None if found is None else str(found)) == expected


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded_for", "expected"),
    [
        (0, "198.51.100.4", "203.0.113.7", "198.51.100.4"),
        (1, "10.0.0.1", "1.2.3.4, 203.0.113.7", "203.0.113.7"),
        (2, "10.0.0.1", "1.2.3.4, 203.0.113.7, 192.0.2.5", "203.0.113.7"),
        (2, "10.0.0.1", "203.0.113.7", "203.0.113.7"),
        (1, "10.0.0.1", "", None),
        (1, "", "203.0.113.7", "203.0.113.7"),
    ],
)
def test_a_number_of_proxies_is_counted_from_the_right(
    proxies: Proxies, peer: str, forwarded_for: str, expected: str | None
) -> None:
    found = client_address(peer, forwarded_for, proxies)

    assert (None if found is None else str(found)) == expected


@given(st.text(), OUTSIDE, st.lists(PROXIES, min_size=1))
def test_whatever_the_visitor_invents_the_trusted_proxies_word_counts(
    invented: str, visitor: IPv4Address | IPv6Address, hops: list[IPv4Address | IPv6Address]
) -> None:
    *passed, peer = [str(hop) for hop in hops]
    forwarded_for = ", ".join([invented, str(visitor), *passed])

    assert client_address(peer, forwarded_for, INSIDE) == visitor
    assert client_address(peer, forwarded_for, len(hops)) == visitor


@given(OUTSIDE, st.text())
def test_a_stranger_is_who_he_is_whatever_his_header_says(
    stranger: IPv4Address | IPv6Address, forwarded_for: str
) -> None:
    assert client_address(str(stranger), forwarded_for, INSIDE) == stranger


def test_ipv6_is_preferred_and_the_first_of_a_kind() -> None:
    four, other_four = IPv4Address("203.0.113.7"), IPv4Address("203.0.113.8")
    six, other_six = IPv6Address("2001:db8::7"), IPv6Address("2001:db8::8")

    assert best_address(four, six, other_six) == str(six)
    assert best_address(four, None, other_four) == str(four)
    assert best_address(IPv6Address("::1"), four) == str(four)
    assert best_address(None) is None


@pytest.mark.parametrize("given", ["10.0.0.0/8", ("10.0.0.0/8",), [ip_network("10.0.0.0/8")], ("10.0.0.7/8",), 1])
def test_proxies_are_given_as_networks_or_as_their_number(given: str | tuple[str] | int) -> None:
    assert is_trusted("10.1.2.3", proxies_of(given))


def test_nobody_is_trusted_unless_somebody_says_so() -> None:
    assert not is_trusted("127.0.0.1", proxies_of(()))
    assert not is_trusted("127.0.0.1", proxies_of(0))


@pytest.mark.parametrize("given", [-1, "everybody", ("10.0.0.0/8", "10.0.0.0/99"), ("",)])
def test_a_setting_that_is_neither_is_refused(given: int | str | tuple[str, ...]) -> None:
    with pytest.raises(MisconfiguredError, match="trusted_proxies"):
        proxies_of(given)
