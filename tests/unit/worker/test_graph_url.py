import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.graph_url import graph_url_problems

COMPOSE = frozenset({"simulator"})


@pytest.mark.parametrize(
    "url",
    [
        "https://graph.facebook.com",
        "https://graph.facebook.com/",
        "HTTPS://Graph.Facebook.com",
        "https://gateway.example:8443",
        "https://[2001:db8::1]:8443",
        "http://127.0.0.1:8100",
        "http://127.8.9.10",
        "http://localhost:8100",
        "http://[::1]:8100",
        "http://simulator:8000",
        "http://Simulator:8000/",
    ],
)
def test_a_safe_url_has_no_problems(url: str) -> None:
    assert graph_url_problems(url, COMPOSE) == []


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "no place"),
        ("graph.facebook.com", "no host"),
        ("https://", "no host"),
        ("https:///events", "no host"),
        ("http://graph.facebook.com", "https"),
        ("http://127.0.0.1.evil.example", "https"),
        ("http://localhost.evil.example", "https"),
        ("http://simulator.evil.example", "https"),
        ("http://2130706433", "https"),
        ("http://0.0.0.0", "https"),
        ("http://169.254.169.254", "https"),
        ("ftp://graph.facebook.com", "https"),
        ("file:///etc/passwd", "https"),
        ("gopher://127.0.0.1", "https"),
        ("https://user:canary@graph.facebook.com", "user name"),
        ("https://graph.facebook.com@evil.example", "user name"),
        ("http://127.0.0.1@evil.example", "user name"),
        ("https://graph.facebook.com\\@evil.example", "character"),
        ("https://graph\u3002facebook\u3002com", "character"),
        ("https://graph\uff0efacebook.com", "character"),
        ("https://gr\u0430ph.facebook.com", "character"),
        ("https://graph.facebook.com\r\nX-Evil: 1", "character"),
        ("https://graph.face\tbook.com", "character"),
        (" https://graph.facebook.com", "character"),
        ("https://graph.facebook.com/v23.0", "host and port"),
        ("https://graph.facebook.com/../x", "host and port"),
        ("https://graph.facebook.com?x=1", "host and port"),
        ("https://graph.facebook.com?", "host and port"),
        ("https://graph.facebook.com#frag", "host and port"),
        ("https://graph.facebook.com#@evil.example", "host and port"),
        ("https://graph.facebook.com:99999", "port"),
        ("https://graph.facebook.com:0", "port"),
        ("https://graph.facebook.com:8o", "port"),
        ("https://[::1", "port"),
        ("https://[fe80::1%25eth0]", "character"),
        ("https://-graph.facebook.com", "neither"),
        ("https://graph..facebook.com", "neither"),
        ("https://graph.facebook.com%2eevil.example", "character"),
        ("https://" + "a" * 400, "too long"),
    ],
)
def test_an_unsafe_url_is_named_without_being_repeated(url: str, word: str) -> None:
    problems = graph_url_problems(url, COMPOSE)

    assert any(word in problem for problem in problems)
    assert not any("evil" in problem or "canary" in problem for problem in problems)


def test_all_problems_of_a_url_are_named_at_once() -> None:
    problems = graph_url_problems("http://me:x@shop.example:0/v23.0", frozenset())

    assert len(problems) == 4


@given(
    st.text(max_size=60), st.sampled_from(["", "https://", "http://", "http://127.0.0.1", "https://graph.facebook.com"])
)
def test_no_text_makes_the_check_raise(tail: str, start: str) -> None:
    assert isinstance(graph_url_problems(start + tail, COMPOSE), list)
