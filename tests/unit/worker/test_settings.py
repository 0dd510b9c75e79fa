from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capi_relay.errors import MisconfiguredError
from schemas.messaging import EVENT_NAMES
from worker.settings import Settings, load
from worker.tokens import AccessToken

REDIS = {"CAPI_REDIS_URL": "redis://store:6379/0"}


def problems_of(environ: dict[str, str]) -> list[str]:
    with pytest.raises(MisconfiguredError) as caught:
        load({**REDIS, **environ})
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def test_an_empty_environment_gives_the_documented_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert load({}) == Settings(
        redis_url=f"unix://{tmp_path}/.capi/redis.sock",
        broker_url=f"redis+socket://{tmp_path}/.capi/redis.sock",
        broker_options={},
        embedded=True,
        datasets_path=None,
        dataset_id=None,
        access_token=None,
        access_token_path=None,
        test_event_code=None,
        graph_url="https://graph.facebook.com",
        graph_version="v23.0",
        insecure_http_hosts=frozenset(),
        messaging_event_names=EVENT_NAMES,
        linger_seconds=5.0,
        batch_events=1000,
        batch_bytes=2_000_000,
        freshness_seconds=3600,
        lease_seconds=90,
        http_total_seconds=30.0,
        pump_seconds=20.0,
        concurrency=16,
        max_hints=64,
        deaf_seconds=60.0,
        dead_letters=100_000,
        dead_letter_days=7,
        dedup_bytes=256_000_000,
        shards=None,
        log_format="console",
        sentry_dsn=None,
        sentry_environment="production",
        sentry_traces_sample_rate=0.0,
        sentry_monitors=True,
    )


def test_every_setting_can_be_given() -> None:
    environ = {
        "CAPI_REDIS_URL": "rediss://:pw@store:6380/1",
        "CELERY_BROKER_URL": "redis://broker:6379/2",
        "CAPI_DATASETS": "conf/datasets.toml",
        "CAPI_DATASET_ID": "123",
        "CAPI_ACCESS_TOKEN": "EAAtoken",
        "CAPI_TEST_EVENT_CODE": "TEST42",
        "CAPI_GRAPH_URL": "http://simulator:8080",
        "CAPI_GRAPH_VERSION": "v25.0",
        "CAPI_INSECURE_HTTP_HOSTS": "other, Simulator",
        "CAPI_MESSAGING_EVENT_NAMES": "Purchase, LeadSubmitted",
        "CAPI_LINGER_SECONDS": "0.5",
        "CAPI_BATCH_EVENTS": "10",
        "CAPI_BATCH_BYTES": "100000",
        "CAPI_FRESHNESS_SECONDS": "60",
        "CAPI_LEASE_SECONDS": "5",
        "CAPI_HTTP_TOTAL_SECONDS": "1.5",
        "CAPI_PUMP_SECONDS": "2",
        "CAPI_CONCURRENCY": "32",
        "CAPI_MAX_HINTS": "8",
        "CAPI_DEAF_SECONDS": "120",
        "CAPI_DEAD_LETTERS": "50",
        "CAPI_DEAD_LETTER_DAYS": "0",
        "CAPI_DEDUP_BYTES": "1000000",
        "CAPI_SHARDS": "4",
        "CAPI_LOG_FORMAT": "json",
        "SENTRY_DSN": "https://key@sentry.example/1",
        "SENTRY_ENVIRONMENT": "staging",
        "SENTRY_TRACES_SAMPLE_RATE": "0.25",
        "SENTRY_MONITORS": "off",
    }

    assert load(environ) == Settings(
        redis_url="rediss://:pw@store:6380/1",
        broker_url="redis://broker:6379/2",
        broker_options={},
        embedded=False,
        datasets_path=Path("conf/datasets.toml"),
        dataset_id="123",
        access_token=AccessToken("EAAtoken"),
        access_token_path=None,
        test_event_code="TEST42",
        graph_url="http://simulator:8080",
        graph_version="v25.0",
        insecure_http_hosts=frozenset({"other", "simulator"}),
        messaging_event_names=frozenset({"Purchase", "LeadSubmitted"}),
        linger_seconds=0.5,
        batch_events=10,
        batch_bytes=100_000,
        freshness_seconds=60,
        lease_seconds=5,
        http_total_seconds=1.5,
        pump_seconds=2.0,
        concurrency=32,
        max_hints=8,
        deaf_seconds=120.0,
        dead_letters=50,
        dead_letter_days=0,
        dedup_bytes=1_000_000,
        shards=4,
        log_format="json",
        sentry_dsn="https://key@sentry.example/1",
        sentry_environment="staging",
        sentry_traces_sample_rate=0.25,
        sentry_monitors=False,
    )


def test_the_environment_of_the_process_is_read_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPI_LINGER_SECONDS", "1.25")

    assert load().linger_seconds == 1.25


def test_an_empty_value_is_an_unset_one() -> None:
    assert load({**REDIS, "CAPI_SHARDS": "", "CAPI_LINGER_SECONDS": " ", "SENTRY_DSN": ""}) == load(REDIS)


def test_the_broker_is_the_event_store_in_celerys_spelling_where_it_is_not_given() -> None:
    assert load({"CAPI_REDIS_URL": "rediss://h/0"}).broker_url == "rediss://h/0?ssl_cert_reqs=required"


def test_a_token_may_stand_in_a_file_whose_path_is_kept(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("EAAtoken\n")
    settings = load({**REDIS, "CAPI_DATASET_ID": "1", "CAPI_ACCESS_TOKEN_FILE": str(secret)})

    assert (settings.access_token, settings.access_token_path) == (AccessToken("EAAtoken"), secret)


def test_the_repr_shows_no_secret() -> None:
    environ = {
        "CAPI_REDIS_URL": "redis://:s3cret@h",
        "CAPI_DATASET_ID": "1",
        "CAPI_ACCESS_TOKEN": "s3cret",
        "SENTRY_DSN": "https://s3cret@h/1",
    }

    assert "s3cret" not in repr(load(environ))


def test_all_problems_come_in_one_message(tmp_path: Path) -> None:
    environ = {
        "CAPI_REDIS_URL": "http://s3cret",
        "CELERY_BROKER_URL": "amqp://s3cret",
        "CAPI_DATASET_ID": "s3cret",
        "CAPI_ACCESS_TOKEN": "s3 cret",
        "CAPI_GRAPH_URL": "http://s3cret.example",
        "CAPI_GRAPH_VERSION": "23.0s3cret",
        "CAPI_LINGER_SECONDS": "s3cret",
        "CAPI_BATCH_EVENTS": "1001",
        "CAPI_SHARDS": "0",
        "CAPI_LOG_FORMAT": "s3cret",
        "SENTRY_DSN": "s3cret",
        "SENTRY_ENVIRONMENT_FILE": str(tmp_path / "absent"),
    }
    problems = problems_of(environ)

    assert "s3" not in "".join(problems)
    assert sorted(problem.split(":")[0] for problem in problems) == sorted(environ)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("CAPI_LINGER_SECONDS", "-1", "a number from 0 to 3600"),
        ("CAPI_LINGER_SECONDS", "nan", "a number from 0 to 3600"),
        ("CAPI_LINGER_SECONDS", "5s", "a number from 0 to 3600"),
        ("CAPI_BATCH_EVENTS", "0", "a whole number from 1 to 1000"),
        ("CAPI_BATCH_EVENTS", "10.5", "a whole number from 1 to 1000"),
        ("CAPI_BATCH_BYTES", "99999", "a whole number from 100000 to 100000000"),
        ("CAPI_GRAPH_VERSION", "v23.0\nx", "a version like v23.0"),
        ("CAPI_LOG_FORMAT", "jsonl", "console or json"),
        ("CAPI_DATASET_ID", "\N{FULLWIDTH DIGIT ONE}", "the dataset's id, up to 32 digits"),
        ("SENTRY_DSN", "https://sentry.example/1", "a DSN: https://key@host/number"),
    ],
)
def test_a_problem_says_what_was_expected(name: str, value: str, expected: str) -> None:
    assert problems_of({name: value}) == [f"{name}: expected {expected}"]


def test_a_lease_shorter_than_two_posts_is_refused() -> None:
    assert problems_of({"CAPI_LEASE_SECONDS": "59"}) == [
        "CAPI_LEASE_SECONDS: expected twice CAPI_HTTP_TOTAL_SECONDS at least, or a slow POST outlasts its lease"
    ]


def test_a_token_without_a_dataset_is_refused() -> None:
    assert problems_of({"CAPI_ACCESS_TOKEN": "EAAtoken", "CAPI_TEST_EVENT_CODE": "T1"}) == [
        "CAPI_ACCESS_TOKEN: needs CAPI_DATASET_ID, which says whose it is",
        "CAPI_TEST_EVENT_CODE: needs CAPI_DATASET_ID, which says whose it is",
    ]


def test_plain_http_to_a_stranger_is_refused() -> None:
    (problem,) = problems_of({"CAPI_GRAPH_URL": "http://graph.example"})

    assert problem.startswith("CAPI_GRAPH_URL: ")
    assert "CAPI_INSECURE_HTTP_HOSTS" in problem


NAMES = st.sampled_from(["CAPI_REDIS_URL", "CAPI_SHARDS", "CAPI_GRAPH_URL", "CAPI_ACCESS_TOKEN", "SENTRY_DSN"])


@given(environ=st.dictionaries(NAMES, st.text(max_size=40)))
def test_whatever_is_given_the_answer_is_settings_or_the_one_error(environ: dict[str, str]) -> None:
    try:
        settings = load(environ)
    except MisconfiguredError:
        return

    assert settings.redis_url
