from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kombu import Connection
from kombu.utils.url import url_to_parts

from worker.broker_url import broker_options_of, broker_url_of, broker_url_problem


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://h:6379/2", "redis://h:6379/2"),
        ("redis://u:p%40w@h:6379?db=3", "redis://u:p%40w@h:6379/3"),
        ("redis://h/0?socket_timeout=5&max_connections=9", "redis://h/0"),
        ("rediss://h:6380/0", "rediss://h:6380/0?ssl_cert_reqs=required"),
        ("rediss://h?ssl_cert_reqs=none", "rediss://h?ssl_cert_reqs=none"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock"),
        ("unix:///run/redis.sock?db=2", "redis+socket:///run/redis.sock?virtual_host=2"),
        ("unix://u:pw@/run/redis.sock", "redis+socket://u:pw@/run/redis.sock"),
        ("unix:///run/redis.sock?password=p/w", "redis+socket://:p%2Fw@/run/redis.sock"),
        ("redis+socket:///run/redis.sock?virtual_host=1", "redis+socket:///run/redis.sock?virtual_host=1"),
        ("sentinel://a/1?master=m", "sentinel://a:26379/1"),
        ("sentinel://u:p%40w@a:1,[::1]:2/0?master=m", "sentinel://u:p%40w@a:1/0;sentinel://u:p%40w@[::1]:2/0"),
    ],
)
def test_a_url_is_spelled_as_celery_reads_it(url: str, expected: str) -> None:
    assert broker_url_of(url) == expected


@given(path=st.from_regex(r"/[ -~é]{1,40}/redis\.sock", fullmatch=True))
def test_any_socket_path_reaches_the_transport_unchanged(path: str) -> None:
    seen_by_kombu = Connection(broker_url_of(f"unix://{quote(path)}")).hostname

    assert f"/{url_to_parts(seen_by_kombu or '').path}" == path


@pytest.mark.parametrize(
    "url", ["redis://h", "rediss://h:1/0", "unix:///s", "redis+socket:///s", "sentinel://h,i:1/0?master=m"]
)
def test_the_brokers_that_are_known_are_taken(url: str) -> None:
    assert broker_url_problem(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "amqp://h",
        "localhost:6379",
        "redis://",
        "unix://",
        "valkey://s3cret@h",
        "redis://[s3cret",
        "sentinel://s3cret@h;sentinel://i",
        "sentinel://h,s3cret:x/0?master=m",
        "sentinel://h/0?master=m&tls=true",
    ],
)
def test_others_are_refused_without_repeating_them(url: str) -> None:
    problem = broker_url_problem(url)

    assert problem is not None
    assert "s3cret" not in problem


def test_the_transport_is_told_the_masters_name_and_the_login_of_the_sentinels() -> None:
    options = broker_options_of("sentinel://u:pw@h/0?master=m&sentinel_password=spw")

    assert options == {"master_name": "m", "sentinel_kwargs": {"socket_timeout": 1, "password": "spw"}}


def test_a_url_without_sentinels_needs_nothing_beside_it() -> None:
    assert broker_options_of("redis://h") == {}
