import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capi_relay.click_ids import current_fbc, fbc_from, fbclid_in, is_fbc, is_fbp
from capi_relay.personal import protect
from tests.fakes.events import FBC, FBP

CLICKED_MS = 1_763_800_000_123
FBCLID = "IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQvwjNwB_qa2ofrHyiLjcbCRxTDMgk"
FBCLIDS = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=300)
TIMES_MS = st.integers(10**9, 10**13 - 1)


def test_a_click_id_holds_index_one_the_time_in_milliseconds_and_the_fbclid() -> None:
    assert fbc_from(FBCLID, CLICKED_MS) == f"fb.1.1763800000123.{FBCLID}"


@pytest.mark.parametrize("appendix", ["", ".Ag", ".AQQCAQMC"])
def test_a_click_id_and_a_browser_id_may_carry_the_builders_appendix(appendix: str) -> None:
    assert is_fbc(FBC + appendix)
    assert is_fbp(FBP + appendix)


@pytest.mark.parametrize("appendix", [".", ".A", ".AQQ", ".AQQCAQMCx", ".AQQCAQMC.AQ", " ", "\n"])
def test_another_ending_is_no_appendix(appendix: str) -> None:
    assert not is_fbc(FBC + appendix)
    assert not is_fbp(FBP + appendix)


@pytest.mark.parametrize(
    "value", ["", "fb.1.1700000000123", "fb.1.now.abc", "fbclid", "1.1.1700000000123.abc", FBC[1:]]
)
def test_what_has_not_the_four_parts_is_malformed(value: str) -> None:
    assert not is_fbc(value)
    assert not is_fbp(value)


def test_a_browser_id_ends_in_digits() -> None:
    assert not is_fbp("fb.1.1700000000123.GA1-2-3")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"https://shop.example.com/?fbclid={FBCLID}", FBCLID),
        (f"https://shop.example.com/a/b?x=1&fbclid={FBCLID}&y=2#top", FBCLID),
        (f"/relative?fbclid={FBCLID}", FBCLID),
        ("https://shop.example.com/?fbclid=AbC%2Dd", "AbC-d"),
        ("https://shop.example.com/?fbclid=first&fbclid=second", "first"),
        ("https://shop.example.com/?fbclid=&fbclid=second", "second"),
        ("https://shop.example.com/?fbclid=a.b", None),
        ("https://shop.example.com/?fbclid=a%20b", None),
        ("https://shop.example.com/?fbclid=%FF", None),
        ("https://shop.example.com/?FBCLID=abc", None),
        ("https://shop.example.com/?xfbclid=abc", None),
        ("https://shop.example.com/fbclid=abc", None),
        ("https://shop.example.com/#?fbclid=abc", None),
        ("https://shop.example.com/?", None),
        ("https://[broken/?fbclid=abc", "abc"),
        ("", None),
    ],
)
def test_the_fbclid_is_the_first_well_formed_one_of_the_query(url: str, expected: str | None) -> None:
    assert fbclid_in(url) == expected


@given(st.text())
def test_any_url_can_be_looked_at(url: str) -> None:
    found = fbclid_in("?fbclid=" + url)

    assert found is None or is_fbc(fbc_from(found, CLICKED_MS))


def test_without_a_click_the_cookie_stays_as_it_is() -> None:
    assert current_fbc(FBC + ".AQQCAQMC", None, CLICKED_MS) == (FBC + ".AQQCAQMC", False)


def test_the_click_that_the_cookie_knows_keeps_the_cookies_time_and_appendix() -> None:
    known = FBC + ".AQQCAQMC"

    assert current_fbc(known, FBC.split(".")[3], CLICKED_MS) == (known, False)


def test_another_click_makes_a_new_click_id() -> None:
    assert current_fbc(FBC, "IwOther", CLICKED_MS) == (f"fb.1.{CLICKED_MS}.IwOther", True)


def test_case_makes_another_click() -> None:
    fbclid = FBC.split(".")[3].swapcase()

    assert current_fbc(FBC, fbclid, CLICKED_MS) == (f"fb.1.{CLICKED_MS}.{fbclid}", True)


def test_a_first_click_makes_a_click_id() -> None:
    assert current_fbc(None, FBCLID, CLICKED_MS) == (f"fb.1.{CLICKED_MS}.{FBCLID}", True)


@pytest.mark.parametrize("cookie", ["", "rubbish", "fb.1.1700000000123.a.b.c.d"])
def test_a_malformed_cookie_counts_as_none(cookie: str) -> None:
    assert current_fbc(cookie, None, CLICKED_MS) == (None, False)
    assert current_fbc(cookie, "IwNew", CLICKED_MS) == (f"fb.1.{CLICKED_MS}.IwNew", True)


@given(FBCLIDS, TIMES_MS)
def test_what_is_made_of_a_click_is_found_again_and_not_made_twice(fbclid: str, clicked_ms: int) -> None:
    made, is_new = current_fbc(None, fbclid_in(f"https://shop.example.com/?fbclid={fbclid}"), clicked_ms)

    assert is_new
    assert current_fbc(made, fbclid, clicked_ms + 1) == (made, False)


@given(FBCLIDS, TIMES_MS, st.sampled_from(["", ".AQ", ".AQQCAQMC"]))
def test_the_producer_sends_every_well_formed_click_id_as_it_is(fbclid: str, clicked_ms: int, appendix: str) -> None:
    fbc = fbc_from(fbclid, clicked_ms) + appendix

    assert protect({"user_data": {"fbc": fbc}}) == ({"user_data": {"fbc": fbc}}, ())
