import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capi_relay.datasets import _EXPECTED, DatasetDefaults, DatasetFile
from capi_relay.errors import MisconfiguredError

FULL = """
[[dataset]]
id = "123"
token_file = "123.token"
test_event_code = "TEST42"
linger_seconds = 0.5
lanes = 8
default_country = "GB"
data_processing_options = ["LDU"]
data_processing_options_country = 1
data_processing_options_state = 1000
partner_agent = "shop-1.0"
dedup_seconds = 3600
on_in_doubt = "hold"

[[dataset]]
id = "456"
"""


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def file_of(tmp_path: Path, text: str, clock: Clock | None = None) -> DatasetFile:
    path = tmp_path / "datasets.toml"
    path.write_text(text, encoding="utf-8")
    return DatasetFile(path, clock=clock or Clock())


def problems_in(tmp_path: Path, text: str) -> str:
    with pytest.raises(MisconfiguredError) as caught:
        file_of(tmp_path, text)
    return str(caught.value)


def test_a_dataset_has_the_defaults_of_its_table(tmp_path: Path) -> None:
    assert file_of(tmp_path, FULL).get("123") == DatasetDefaults(
        dataset_id="123",
        lanes=8,
        linger_seconds=0.5,
        default_country="GB",
        data_processing_options=("LDU",),
        data_processing_options_country=1,
        data_processing_options_state=1000,
    )


@pytest.mark.parametrize("dataset_id", ["456", "789"])
def test_a_dataset_that_says_nothing_has_plain_defaults(tmp_path: Path, dataset_id: str) -> None:
    assert file_of(tmp_path, FULL).get(dataset_id) == DatasetDefaults(dataset_id)


def test_without_a_file_every_dataset_has_plain_defaults() -> None:
    file = DatasetFile(None)

    assert (file.get("123"), file.tables()) == (DatasetDefaults("123"), {})


def test_an_empty_file_names_no_dataset(tmp_path: Path) -> None:
    assert file_of(tmp_path, "").tables() == {}


def test_options_left_empty_differ_from_options_left_out(tmp_path: Path) -> None:
    file = file_of(tmp_path, '[[dataset]]\nid = "1"\ndata_processing_options = []\n')

    assert file.get("1").data_processing_options == ()


def test_all_problems_are_listed_at_once_by_number_and_id(tmp_path: Path) -> None:
    text = """
colour = "red"
[[dataset]]
id = "123"
token = "EAAsecret"
token_env = "TOKEN"
lanes = 33
[[dataset]]
linger_second = 5
[[dataset]]
id = 123
[[dataset]]
id = "123"
data_processing_options = ["LDU"]
data_processing_options_state = 0
"""
    assert problems_in(tmp_path, text).splitlines()[1:] == [
        "  colour: unknown, only [[dataset]] tables are read",
        "  dataset 1 (123): lanes: expected a whole number from 1 to 32",
        "  dataset 1 (123): token and token_env: keep one of them",
        '  dataset 2: id: missing, expected the dataset\'s id, up to 32 digits in quotes: "1234567890"',
        f"  dataset 2: linger_second: unknown, expected one of {', '.join(_EXPECTED)}",
        '  dataset 3: id: expected the dataset\'s id, up to 32 digits in quotes: "1234567890"',
        "  dataset 4 (123): data_processing_options_country: missing, 0 lets Meta find the place",
        "  dataset id 123 stands 2 times",
    ]


@pytest.mark.parametrize(
    "line",
    [
        'token = "two words"',
        'token = ""',
        "token = 5",
        'token_file = ""',
        'token_env = "MY-TOKEN"',
        'test_event_code = ""',
        "linger_seconds = -1",
        "linger_seconds = nan",
        "linger_seconds = 3601",
        "linger_seconds = true",
        'linger_seconds = "5"',
        "lanes = 0",
        "lanes = true",
        "lanes = 1.0",
        'default_country = "GBR"',
        'default_country = "G1"',
        'data_processing_options = "LDU"',
        'data_processing_options = ["ldu"]',
        "data_processing_options_country = 0",
        'partner_agent = "a1"',
        'partner_agent = "a"',
        'partner_agent = "abcdefghijklmnopqrstuvw"',
        'partner_agent = "my shop"',
        "dedup_seconds = -1",
        'on_in_doubt = "drop"',
        "coerce_times = 1",
        'match_variants = "yes"',
        'domains = "shop.example"',
        'domains = ["https://shop.example"]',
        'domains = ["shop"]',
    ],
)
def test_a_value_out_of_its_range_is_a_problem(tmp_path: Path, line: str) -> None:
    key = line.split(" ", 1)[0]

    assert f"dataset 1 (1): {key}: " in problems_in(tmp_path, f'[[dataset]]\nid = "1"\n{line}\n')


@pytest.mark.parametrize("country", ["2", "-1", "true"])
@pytest.mark.parametrize("state", ["1", "999", "1014"])
def test_a_place_for_limited_data_use_that_meta_does_not_know_is_a_problem(
    tmp_path: Path, country: str, state: str
) -> None:
    text = f"""
[[dataset]]
id = "1"
data_processing_options = ["LDU"]
data_processing_options_country = {country}
data_processing_options_state = {state}
"""
    problems = problems_in(tmp_path, text)

    assert "_country: expected 1 (USA)" in problems
    assert "_state: expected a state" in problems


@pytest.mark.parametrize("line", ['partner_agent = "ab"', 'partner_agent = "abcdefghijklmnopqrstuv"', "lanes = 32"])
def test_a_value_at_the_edge_of_its_range_is_taken(tmp_path: Path, line: str) -> None:
    assert file_of(tmp_path, f'[[dataset]]\nid = "1"\n{line}\n').tables()


@pytest.mark.parametrize("text", ["dataset = 5", "[dataset]\nid = '1'", "dataset = [1]"])
def test_datasets_that_are_no_tables_are_a_problem(tmp_path: Path, text: str) -> None:
    assert "expected tables, each headed [[dataset]]" in problems_in(tmp_path, text)


def test_a_file_that_is_no_toml_is_a_problem_with_its_line(tmp_path: Path) -> None:
    text = '[[dataset]]\nid = "1"\ntoken = EAAsecret\n'

    problems = problems_in(tmp_path, text)

    assert "is not TOML" in problems
    assert "line 3" in problems
    assert "secret" not in problems


def test_a_number_of_more_digits_than_python_reads_is_a_problem_too(tmp_path: Path) -> None:
    assert "is not TOML" in problems_in(tmp_path, f"a = {'1' * 5000}")


def test_a_file_that_is_no_text_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "datasets.toml"
    path.write_bytes(b"\xff")

    with pytest.raises(MisconfiguredError, match="is not UTF-8 text"):
        DatasetFile(path)


def test_a_file_that_is_missing_at_the_start_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredError, match="cannot be read: No such file"):
        DatasetFile(tmp_path / "absent.toml")


@given(value=st.text(min_size=8))
def test_no_message_repeats_a_value(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    secret = value.encode("unicode_escape").hex() + "s3cret"
    text = f'[[dataset]]\nid = "{secret}"\ntoken = " {secret}"\nlanes = "{secret}"\n'

    assert secret not in problems_in(tmp_path_factory.getbasetemp(), text)


def test_a_change_is_seen_within_a_second(tmp_path: Path) -> None:
    clock = Clock()
    file = file_of(tmp_path, '[[dataset]]\nid = "1"\nlanes = 2\n', clock)
    (tmp_path / "datasets.toml").write_text('[[dataset]]\nid = "1"\nlanes = 3\n')
    clock.now += 1

    assert file.get("1").lanes == 3


@pytest.mark.parametrize("change", ["lanes = 5", "[[dataset", None])
def test_a_change_for_the_worse_is_reported_once_and_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, change: str | None
) -> None:
    clock = Clock()
    file = file_of(tmp_path, '[[dataset]]\nid = "1"\nlanes = 2\n', clock)
    path = tmp_path / "datasets.toml"
    path.unlink() if change is None else path.write_text(change)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            clock.now += 1
            lanes = file.get("1").lanes

    assert lanes == 2
    assert [record.message.count("the former content stays") for record in caplog.records] == [1]


def test_a_file_that_is_right_again_is_used(tmp_path: Path) -> None:
    clock = Clock()
    file = file_of(tmp_path, '[[dataset]]\nid = "1"\nlanes = 2\n', clock)
    for text in ("lanes = 5", '[[dataset]]\nid = "1"\nlanes = 4\n'):
        (tmp_path / "datasets.toml").write_text(text)
        clock.now += 1
        lanes = file.get("1").lanes

    assert lanes == 4


def test_an_unchanged_file_is_not_parsed_again(tmp_path: Path) -> None:
    clock = Clock()
    file = file_of(tmp_path, FULL, clock)
    first = file.tables()
    clock.now += 10

    assert file.tables() is first
