import pytest

from worker.cli.event_path import PathError, path_of, remove_at, set_at, value_of


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("event_id", ("event_id",)),
        ("user_data.em", ("user_data", "em")),
        ("custom_data.contents[0].id", ("custom_data", "contents", 0, "id")),
        ("custom_data.my key", ("custom_data", "my key")),
    ],
)
def test_a_path_is_read(text: str, path: tuple[str | int, ...]) -> None:
    assert path_of(text) == path


@pytest.mark.parametrize(
    "text", ["", ".", "a", "user_data", "user_data.mail", "user_data..em", "[0]", "event_id.", "a[x]"]
)
def test_what_is_no_place_in_an_event_is_refused(text: str) -> None:
    with pytest.raises(PathError):
        path_of(text)


def test_objects_and_lists_are_made_on_the_way() -> None:
    event: dict[str, object] = {}
    set_at(event, path_of("custom_data.contents[0].id"), "a")
    set_at(event, path_of("custom_data.contents[0].quantity"), 2)
    set_at(event, path_of("custom_data.contents[1].id"), "b")
    set_at(event, path_of("custom_data.contents[0].id"), "c")

    assert event == {"custom_data": {"contents": [{"id": "c", "quantity": 2}, {"id": "b"}]}}


@pytest.mark.parametrize("path", ["custom_data.contents[2].id", "event_id.inner"])
def test_a_place_that_something_else_stands_in_the_way_of_is_refused(path: str) -> None:
    event: dict[str, object] = {"event_id": "1", "custom_data": {"contents": []}}
    with pytest.raises(PathError):
        set_at(event, path_of(path), 1)


def test_a_value_is_taken_away_where_it_is() -> None:
    event = {"custom_data": {"contents": [1, 2], "value": 3}}

    assert remove_at(event, path_of("custom_data.contents[0]"))
    assert not remove_at(event, path_of("custom_data.currency"))
    assert not remove_at(event, path_of("user_data.em"))
    assert event == {"custom_data": {"contents": [2], "value": 3}}


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("event_time", "1764000000", 1764000000),
        ("event_time", "soon", "soon"),
        ("custom_data.num_items", "3", 3),
        ("custom_data.value", "59.90", "59.90"),
        ("custom_data.content_ids", "a", ["a"]),
        ("custom_data.content_ids", '["a"]', ["a"]),
        ("custom_data.contents", '[{"id": "a"}]', [{"id": "a"}]),
        ("custom_data.contents[0].quantity", "2", 2),
        ("custom_data.own", '{"a": 1}', {"a": 1}),
        ("custom_data.own", "{broken", "{broken"),
        ("custom_data.order_id", "007", "007"),
        ("user_data.zp", "01234", "01234"),
        ("user_data.em", '["a", "b"]', ["a", "b"]),
        ("opt_out", "No", False),
        ("opt_out", "perhaps", "perhaps"),
    ],
)
def test_a_text_becomes_the_type_that_meta_takes_there(path: str, text: str, value: object) -> None:
    assert value_of(path, text) == value
