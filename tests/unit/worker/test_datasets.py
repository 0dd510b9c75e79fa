import logging
from dataclasses import replace
from pathlib import Path

import pytest

from capi_relay.errors import MisconfiguredError
from worker.datasets import Dataset, Datasets
from worker.settings import Settings, load
from worker.tokens import AccessToken

SETTINGS = load({"CAPI_REDIS_URL": "redis://store"})


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def settings_with(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "datasets.toml"
    path.write_text(text)
    return replace(SETTINGS, datasets_path=path)


def token_of(datasets: Datasets, dataset_id: str) -> AccessToken | None:
    dataset = datasets.get(dataset_id)
    assert dataset is not None
    return dataset.token


def test_without_any_configuration_there_is_no_dataset() -> None:
    datasets = Datasets(SETTINGS)

    assert (datasets.ids(), datasets.get("1")) == ([], None)


def test_the_short_form_makes_one_dataset() -> None:
    short = replace(
        SETTINGS, dataset_id="1", access_token=AccessToken("EAA1"), test_event_code="T1", linger_seconds=2.0
    )

    assert Datasets(short).get("1") == Dataset(
        dataset_id="1",
        token=AccessToken("EAA1"),
        test_event_code="T1",
        partner_agent=None,
        linger_seconds=2.0,
        lanes=1,
        dedup_seconds=172_800,
        on_in_doubt="resend",
        default_country=None,
    )


def test_the_short_form_without_a_token_is_a_dataset_whose_events_wait() -> None:
    datasets = Datasets(replace(SETTINGS, dataset_id="1"))

    assert datasets.ids() == ["1"]
    assert token_of(datasets, "1") is None


def test_a_table_says_how_its_dataset_is_delivered(tmp_path: Path) -> None:
    text = """
[[dataset]]
id = "1"
token = "EAA1"
test_event_code = "T1"
partner_agent = "shop-1"
linger_seconds = 1
lanes = 4
dedup_seconds = 60
on_in_doubt = "hold"
dead_full = "drop_oldest"
default_country = "GB"
"""
    assert Datasets(settings_with(tmp_path, text)).get("1") == Dataset(
        dataset_id="1",
        token=AccessToken("EAA1"),
        test_event_code="T1",
        partner_agent="shop-1",
        linger_seconds=1,
        lanes=4,
        dedup_seconds=60,
        on_in_doubt="hold",
        default_country="GB",
        dead_full="drop_oldest",
    )


def test_the_short_form_stands_beside_the_file(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, '[[dataset]]\nid = "2"\ntoken = "EAA2"\n')
    datasets = Datasets(replace(settings, dataset_id="1", access_token=AccessToken("EAA1")))

    assert datasets.ids() == ["2", "1"]
    assert [token_of(datasets, each) for each in ("1", "2")] == [AccessToken("EAA1"), AccessToken("EAA2")]


def test_a_table_of_the_short_forms_dataset_is_filled_in_from_it(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, '[[dataset]]\nid = "1"\nlanes = 3\ntest_event_code = "FILE"\n')
    datasets = Datasets(replace(settings, dataset_id="1", access_token=AccessToken("EAA1"), test_event_code="SHORT"))
    dataset = datasets.get("1")

    assert datasets.ids() == ["1"]
    assert dataset is not None
    assert (dataset.lanes, dataset.token, dataset.test_event_code) == (3, AccessToken("EAA1"), "FILE")


def test_two_tokens_for_one_dataset_are_refused(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, '[[dataset]]\nid = "1"\ntoken_env = "T"\n')

    with pytest.raises(MisconfiguredError, match="dataset 1: CAPI_ACCESS_TOKEN and a token in the datasets file"):
        Datasets(replace(settings, dataset_id="1", access_token=AccessToken("EAA1")))


def test_a_token_may_stand_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "EAA1\n")
    datasets = Datasets(settings_with(tmp_path, '[[dataset]]\nid = "1"\ntoken_env = "SHOP_TOKEN"\n'))

    assert token_of(datasets, "1") == AccessToken("EAA1")


def test_a_token_file_is_found_beside_the_datasets_file(tmp_path: Path) -> None:
    (tmp_path / "1.token").write_text("EAA1\n")
    datasets = Datasets(settings_with(tmp_path, '[[dataset]]\nid = "1"\ntoken_file = "1.token"\n'))

    assert token_of(datasets, "1") == AccessToken("EAA1")


@pytest.mark.parametrize("line", ["", 'token_file = "absent"', 'token_env = "CAPI_TEST_NO_SUCH_VARIABLE"'])
def test_a_dataset_without_a_token_is_configured_all_the_same(tmp_path: Path, line: str) -> None:
    datasets = Datasets(settings_with(tmp_path, f'[[dataset]]\nid = "1"\n{line}\n'))

    assert token_of(datasets, "1") is None


def test_datasets_that_share_a_token_are_found(tmp_path: Path) -> None:
    tables = [
        f'[[dataset]]\nid = "{each}"\ntoken = "{token}"\n' for each, token in (("1", "A"), ("2", "B"), ("3", "A"))
    ]
    datasets = Datasets(settings_with(tmp_path, "".join(tables)))
    first = datasets.get("1")

    assert first is not None
    assert datasets.sharing(first) == ["1", "3"]


def test_a_new_token_is_seen_within_a_second(tmp_path: Path) -> None:
    clock, token = Clock(), tmp_path / "1.token"
    datasets = Datasets(settings_with(tmp_path, '[[dataset]]\nid = "1"\ntoken_file = "1.token"\n'), clock=clock)
    before = token_of(datasets, "1")
    token.write_text("EAAnew")
    clock.now += 1

    assert (before, token_of(datasets, "1")) == (None, AccessToken("EAAnew"))


def test_a_new_token_in_the_datasets_file_is_seen_within_a_second(tmp_path: Path) -> None:
    clock = Clock()
    settings = settings_with(tmp_path, '[[dataset]]\nid = "1"\ntoken = "EAAold"\n')
    datasets = Datasets(settings, clock=clock)
    settings_with(tmp_path, '[[dataset]]\nid = "1"\ntoken = "EAAnew"\n')
    clock.now += 1

    assert token_of(datasets, "1") == AccessToken("EAAnew")


def test_a_new_token_in_the_short_forms_file_is_seen_within_a_second(tmp_path: Path) -> None:
    clock, token = Clock(), tmp_path / "token"
    token.write_text("EAAold")
    datasets = Datasets(replace(SETTINGS, dataset_id="1", access_token_path=token), clock=clock)
    before = token_of(datasets, "1")
    token.write_text("EAAnew")
    clock.now += 1

    assert (before, token_of(datasets, "1")) == (AccessToken("EAAold"), AccessToken("EAAnew"))


def test_all_tokens_that_cannot_be_one_are_named_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "2.token").write_text("s3cret two lines\n")
    text = '[[dataset]]\nid = "1"\ntoken = "s3cret!"\n[[dataset]]\nid = "2"\ntoken_file = "2.token"\n'
    with pytest.raises(MisconfiguredError) as caught:
        Datasets(settings_with(tmp_path, text))
    message = str(caught.value)

    assert "dataset 1: " in message
    assert "dataset 2: " in message
    assert "s3cret" not in message


def test_a_bad_new_token_makes_the_dataset_wait_and_is_reported_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock, token = Clock(), tmp_path / "1.token"
    token.write_text("EAAold")
    datasets = Datasets(settings_with(tmp_path, '[[dataset]]\nid = "1"\ntoken_file = "1.token"\n'), clock=clock)
    token.write_text("s3cret\nsecond line")
    clock.now += 1
    with caplog.at_level(logging.WARNING):
        tokens = [token_of(datasets, "1") for _ in range(3)]

    assert tokens == [None, None, None]
    assert [("dataset 1" in r.getMessage(), "s3cret" in r.getMessage()) for r in caplog.records] == [(True, False)]
