from pathlib import Path
from urllib.parse import unquote

import pytest

from capi_relay.environment import MAX_SOCKET_PATH_BYTES, redis_url, socket_url, value_of
from capi_relay.errors import MisconfiguredError


def test_a_setting_is_read_without_its_white_space() -> None:
    assert value_of({"CAPI_DATASET_ID": " 123\n"}, "CAPI_DATASET_ID") == "123"


@pytest.mark.parametrize("environ", [{}, {"CAPI_DATASET_ID": ""}, {"CAPI_DATASET_ID": " ", "CAPI_DATASET_ID_FILE": ""}])
def test_an_empty_setting_is_an_unset_one(environ: dict[str, str]) -> None:
    assert value_of(environ, "CAPI_DATASET_ID") is None


def test_a_setting_may_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("redis://store:6379/0\n")

    assert redis_url({"CAPI_REDIS_URL_FILE": str(secret)}) == "redis://store:6379/0"


def test_a_setting_and_its_file_at_once_are_refused(tmp_path: Path) -> None:
    environ = {"CAPI_REDIS_URL": "redis://a", "CAPI_REDIS_URL_FILE": str(tmp_path / "url")}

    with pytest.raises(MisconfiguredError, match="CAPI_REDIS_URL and CAPI_REDIS_URL_FILE are both set"):
        redis_url(environ)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "absent")

    with pytest.raises(MisconfiguredError, match=r"CAPI_REDIS_URL_FILE: .*absent cannot be read: No such file"):
        redis_url({"CAPI_REDIS_URL_FILE": path})


def test_a_file_that_is_no_text_is_named_without_its_bytes(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_bytes(b"redis://\xff")

    with pytest.raises(MisconfiguredError, match="is not UTF-8 text"):
        redis_url({"CAPI_REDIS_URL_FILE": str(secret)})


@pytest.mark.parametrize(
    "url",
    [
        "redis://h",
        "redis://user:pw@h:6380/2",
        "rediss://h:6379/0?ssl_cert_reqs=required",
        "unix:///run/redis.sock?db=1",
    ],
)
def test_a_url_of_redis_is_taken_as_it_stands(url: str) -> None:
    assert redis_url({"CAPI_REDIS_URL": url}) == url


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379",
        "http://h",
        "valkey://h",
        "redis://",
        "redis:///0",
        "unix://",
        "redis://h:pw7",
        "redis://h:99999",
    ],
)
def test_anything_else_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(MisconfiguredError, match="expected redis://host:6379/0") as caught:
        redis_url({"CAPI_REDIS_URL": url + "#s3cret"})

    assert "s3cret" not in str(caught.value)


def test_without_a_url_the_embedded_socket_of_this_directory_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert redis_url({}) == f"unix://{tmp_path}/.capi/redis.sock"


def test_a_directory_with_a_space_and_a_percent_sign_survives_the_url() -> None:
    path = Path("/srv/my shop 100%/redis.sock")

    assert unquote(socket_url(path)) == f"unix://{path}"


def test_a_socket_path_longer_than_the_system_allows_is_refused() -> None:
    fits = Path("/" + "d" * (MAX_SOCKET_PATH_BYTES - 1))

    assert socket_url(fits)
    with pytest.raises(MisconfiguredError, match="104 bytes, the system allows 103"):
        socket_url(fits.with_name(fits.name + "d"))
