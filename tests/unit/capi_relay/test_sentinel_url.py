import pytest

from capi_relay.environment import redis_url
from capi_relay.errors import MisconfiguredError
from capi_relay.sentinel_url import SentinelUrl, read_sentinel_url


def test_hosts_ports_database_and_master_are_read() -> None:
    assert read_sentinel_url("sentinel://a,b:1,[::1]:2/3?master=shop") == SentinelUrl(
        sentinels=(("a", 26379), ("b", 1), ("::1", 2)), master="shop", database=3
    )


def test_the_login_of_the_servers_is_not_that_of_the_sentinels() -> None:
    read = read_sentinel_url("sentinel://u:p%40w@a/0?master=m&sentinel_user=su&sentinel_password=s%26w")

    assert (read.user, read.password, read.sentinel_user, read.sentinel_password) == ("u", "p@w", "su", "s&w")


def test_tls_has_redis_pys_options() -> None:
    read = read_sentinel_url("sentinel://a/0?master=m&tls=true&ssl_ca_certs=/ca.pem")

    assert (read.tls, read.tls_options) == (True, {"ssl_ca_certs": "/ca.pem"})


def test_no_password_is_in_the_repr() -> None:
    assert "s3cret" not in repr(read_sentinel_url("sentinel://u:s3cret@a/0?master=m&sentinel_password=s3cret"))


@pytest.mark.parametrize(
    "url",
    [
        "sentinel://a:26379/0",
        "sentinel:///0?master=m",
        "sentinel://a:x/0?master=m",
        "sentinel://a:0/0?master=m",
        "sentinel://a:70000/0?master=m",
        "sentinel://a,,b/0?master=m",
        "sentinel://a/x?master=m",
        "sentinel://a/0?master=",
        "sentinel://a/0?master=m&max_connections=3",
        "sentinel://a/0?master=m&tls=perhaps",
        "sentinel://a;sentinel://b",
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_is_expected(url: str) -> None:
    with pytest.raises(MisconfiguredError, match=r"sentinel://host:26379,host2:26379/0\?master=name"):
        redis_url({"CAPI_REDIS_URL": url})


def test_the_environment_takes_it() -> None:
    url = "sentinel://a:1,b:2/0?master=m"

    assert redis_url({"CAPI_REDIS_URL": url}) == url
