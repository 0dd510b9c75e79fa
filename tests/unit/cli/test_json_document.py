import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.cli.json_document import UnreadableDocumentError, spans

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
INDENTS = st.sampled_from([None, 1, "\t"])


def found_in(text: str) -> list[Any]:
    return [json.loads(text[start:end]) for _, start, end in spans(text)[0]]


@given(st.lists(JSON, max_size=5), INDENTS)
def test_each_item_of_an_array_is_found(items: list[Any], indent: int | str | None) -> None:
    assert found_in(json.dumps(items, indent=indent)) == items


@given(st.lists(JSON, max_size=5), st.dictionaries(st.text(min_size=5), JSON, max_size=3), INDENTS)
def test_each_item_of_data_is_found_whatever_stands_beside_it(
    items: list[Any], beside: dict[str, Any], indent: int | str | None
) -> None:
    document = {**beside, "data": items, "partner_agent": "x"}

    assert found_in(json.dumps(document, indent=indent)) == items


@given(st.text(alphabet='[]{}",:data1 \n\\u', max_size=60))
def test_whatever_the_text_is_it_is_read_or_refused(text: str) -> None:
    try:
        found = found_in(text)
    except UnreadableDocumentError:
        return

    assert isinstance(found, list)


def test_one_event_that_fills_several_lines_is_one_event() -> None:
    assert found_in('{\n "event_name": "Lead",\n "data": 1\n}') == [{"event_name": "Lead", "data": 1}]


def test_an_event_that_has_a_key_named_data_stays_one_event() -> None:
    assert found_in('{"data": [{}], "event_name": "Lead"}') == [{"data": [{}], "event_name": "Lead"}]


def test_several_documents_one_after_another_are_all_read() -> None:
    assert found_in('[{"a": 1}]\n{"data": [{"b": 2}]}\n{"event_name": "c"}') == [
        {"a": 1},
        {"b": 2},
        {"event_name": "c"},
    ]


def test_each_event_has_the_line_it_begins_at() -> None:
    lines = [line for line, _, _ in spans('\n[\n {"a": 1}, {"b":\n 2},\n {"c": 3}]', first_line=1)[0]]

    assert lines == [3, 3, 5]


def test_the_keys_beside_data_are_told() -> None:
    assert spans('{"data": [], "test_event_code": "TEST1"}')[1] == {"data", "test_event_code"}


def test_numbers_that_python_would_not_read_are_left_to_the_decoding_of_their_event() -> None:
    number = "9" * 5000

    assert len(spans(f'[{{"value": {number}}}, {{"value": NaN}}, {{"value": 1e999}}]')[0]) == 3


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[{"a": 1}', 1),
        ('[{"a": 1}\n {"b": 2}]', 2),
        ('{"data": [{"a": 1},\n]}', 2),
        ('{"data" [1]}', 1),
        ("{1: 2}", 1),
        ('[\n\n{"a": }]', 3),
        ('[{"a": 1}] x', 1),
    ],
)
def test_a_broken_document_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(UnreadableDocumentError, match=f"it is no JSON at line {line}: "):
        spans(text)


def test_a_bottomless_document_is_refused_and_no_crash() -> None:
    with pytest.raises(UnreadableDocumentError, match="too deep"):
        spans("[" + "[" * 200_000 + "]" * 200_000 + "]")
