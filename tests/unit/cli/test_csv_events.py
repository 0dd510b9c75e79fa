import io
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from worker.cli.csv_events import CsvFile
from worker.cli.csv_mapping import CsvMapping, MappingError, read_mapping
from worker.cli.csv_times import RowError, Times
from worker.cli.event_files import Found
from worker.cli.json_document import UnreadableDocumentError

HEADER = "event_name,event_time,em,value\n"
ROW = "Purchase,1764000000,ada@example.com,59.90\n"
EVENT = {
    "event_name": "Purchase",
    "event_time": 1764000000,
    "user_data": {"em": "ada@example.com"},
    "custom_data": {"value": "59.90"},
}
MAPPING = """
delimiter = ";"
decimal_comma = true
[columns]
"Mail" = "user_data.em"
"Order" = ["event_id", "custom_data.order_id"]
"Sum" = "custom_data.value"
"Date" = "event_time"
[constants]
event_name = "Purchase"
action_source = "physical_store"
"custom_data.currency" = "EUR"
[times]
format = "%d.%m.%Y %H:%M"
timezone = "Europe/Berlin"
"""


class Counting(io.BytesIO):
    """Notes the most that was asked for at once."""

    most = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        data = super().readline(size)
        self.most = max(self.most, len(data))
        return data

    def read(self, size: int | None = -1, /) -> bytes:
        raise AssertionError(size)


def read(text: str | bytes, mapping: CsvMapping | None = None) -> list[Found]:
    return list(CsvFile(Counting(text.encode() if isinstance(text, str) else text), mapping or CsvMapping()))


def mapping_of(tmp_path: Path, text: str) -> CsvMapping:
    path = tmp_path / "mapping.toml"
    path.write_text(text)
    return read_mapping(path)


@pytest.mark.parametrize(
    "text",
    [
        HEADER + ROW,
        (HEADER + ROW).rstrip(),
        (HEADER + ROW).replace("\n", "\r\n"),
        f"\ufeff{HEADER}\n{ROW}\n",
        (HEADER + ROW).replace(",", ";"),
        (HEADER + ROW).replace(",", "\t"),
        HEADER.replace("em,", "user_data.em,").replace("value", "custom_data.value") + ROW,
        HEADER + '"Purchase","1764000000","ada@example.com"," 59.90 "\n',
    ],
)
def test_the_same_row_is_read_from_every_form_of_table(text: str) -> None:
    (found,) = read(text)

    assert found.event == EVENT


def test_rows_have_their_number_and_the_line_they_begin_at() -> None:
    found = read(HEADER + ROW + '\n"Lead",1764000000,"a\nb",\n' + ROW)

    assert [(each.number, each.line) for each in found] == [(1, 2), (2, 4), (3, 6)]


def test_empty_cells_say_nothing_and_lists_are_read() -> None:
    header = "event_name,event_time,content_ids,opt_out,num_items,zp,custom_data.own\n"
    (found,) = read(header + 'Lead,1764000000,"[""a"",""b""]",yes,3,012,\n')

    assert found.event == {
        "event_name": "Lead",
        "event_time": 1764000000,
        "custom_data": {"content_ids": ["a", "b"], "num_items": 3},
        "opt_out": True,
        "user_data": {"zp": "012"},
    }


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("Purchase,1764000000\n", "wrong_cells"),
        ('Purchase,1764000000,"a"b,1\n', "bad_quotes"),
        ('Purchase,1764000000,"a,1\n', "open_quote"),
        ("Purchase,yesterday,a,1\n", "bad_time"),
        ("Purchase,2026-01-31 09:00,a,1\n", "bad_time"),
        ("Purchase,,a,1\n", "missing_time"),
        (b"Purchase,1764000000,\xff,1\n", "bad_encoding"),
        (f"Purchase,1764000000,{'x' * 400_000},1\n", "too_large"),
    ],
)
def test_a_wrong_row_is_told_and_never_stops_the_rest(row: str | bytes, code: str) -> None:
    data = row if isinstance(row, bytes) else row.encode()
    found = read((HEADER + ROW).encode() + data + ROW.encode() * 3)

    assert [each.code for each in found if each.event is None] == [code]
    assert [each.event for each in found if each.event] == [EVENT] * 4
    assert found[1].line == 3
    assert "ada" not in found[1].reason


def test_a_large_file_is_read_line_by_line() -> None:
    stream = Counting((HEADER + ROW * 1000).encode())

    assert sum(1 for _ in CsvFile(stream, CsvMapping())) == 1000
    assert stream.most < 200


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("event_name,event_time,mail", "the column mail is none of Meta's names"),
        ("event_name,event_time,em,em", "the column em twice"),
        ("event_name,event_time,em,user_data.em", "two columns are user_data.em"),
        ("event_name,em", "nothing says event_time"),
        ("event_time,em", "nothing says event_name"),
        ("event_name,event_time,user_data.mail", "none of Meta's names"),
        ("", "nothing says event_name"),
    ],
)
def test_a_header_that_says_too_little_is_told(header: str, said: str) -> None:
    with pytest.raises(UnreadableDocumentError, match=said):
        read(f"{header}\n{ROW}")


def test_a_file_without_header_shows_no_value_in_its_message() -> None:
    with pytest.raises(UnreadableDocumentError) as error:
        read("ada@example.com,Purchase\n")

    assert "ada" not in str(error.value)


def test_a_mapping_says_what_columns_are_and_what_all_rows_share(tmp_path: Path) -> None:
    text = "Order;Mail;Sum;Date;Shop\nA-1;ada@example.com;1.059,90;31.01.2026 09:30;north\n"
    (found,) = read(text, mapping_of(tmp_path, MAPPING))

    assert found.event == {
        "event_name": "Purchase",
        "action_source": "physical_store",
        "event_id": "A-1",
        "event_time": int(datetime(2026, 1, 31, 9, 30, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()),
        "user_data": {"em": "ada@example.com"},
        "custom_data": {"currency": "EUR", "order_id": "A-1", "value": "1059.90"},
    }


def test_a_mapped_column_that_is_missing_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocumentError, match="no column Order, Sum; its columns are: Mail, Date"):
        read("Mail;Date\n", mapping_of(tmp_path, MAPPING))


def test_what_a_mapping_does_not_name_may_stand_there_twice() -> None:
    mapping = CsvMapping({"Name": ("event_name",)}, {"event_time": "now"})
    (found,) = read("Name,Note,Note,\nLead,a,b,c\n", mapping)

    assert found.event is not None
    assert found.event["event_name"] == "Lead"
    with pytest.raises(UnreadableDocumentError, match="the column Name twice"):
        read("Name,Name\n", mapping)


def test_the_time_of_sending_must_be_asked_for() -> None:
    (found,) = read("event_name\nLead\n", CsvMapping(constants={"event_time": "now"}))

    assert found.event is not None
    assert abs(found.event["event_time"] - datetime.now(UTC).timestamp()) < 60


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[", "no TOML"),
        ("colums = {}", "a key colums"),
        ("columns = 5", "wrong type"),
        ('delimiter = ";;"', "one character"),
        ('[columns]\nA = "user_data.mail"', "no such key in user_data"),
        ('[columns]\nA = "purchase.em"', "no key purchase"),
        ('[columns]\nA = "a..b"', "no path"),
        ("[columns]\nA = 5", "column A"),
        ('[constants]\n"user.em" = 1', "no key user"),
        ('[constants]\ndataset_id = "1"', "no constant"),
        ('[times]\nformat = "german"', "format is auto"),
        ('[times]\ntimezone = "Nowhere/Town"', "timezone is a name"),
        ("[times]\nzone = 5", "a key zone"),
    ],
)
def test_a_mapping_that_is_wrong_is_told_with_the_way_out(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(MappingError, match=said):
        mapping_of(tmp_path, text)


def test_a_mapping_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="cannot be read"):
        read_mapping(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("times", "text"),
    [
        (Times(), "1764000000"),
        (Times("unix"), "1764000000"),
        (Times("unix_ms"), "1764000000000"),
        (Times(), "2025-11-24T16:00:00Z"),
        (Times("iso", UTC), "2025-11-24 16:00:00"),
        (Times("%Y/%m/%d %H.%M", UTC), "2025/11/24 16.00"),
    ],
)
def test_times_are_read_as_the_mapping_says(times: Times, text: str) -> None:
    assert times.seconds(text) == 1764000000


@pytest.mark.parametrize(
    ("times", "text"), [(Times("unix"), "2025-11-24"), (Times("%d.%m.%Y", UTC), "2025"), (Times("iso"), "x" * 50)]
)
def test_a_time_written_otherwise_is_refused_without_its_text(times: Times, text: str) -> None:
    with pytest.raises(RowError) as error:
        times.seconds(text)

    assert text not in str(error.value)


def test_the_mapping_of_the_docs_is_a_right_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "bulk.md").read_text()
    block = page.partition("### The mapping file")[2].partition("    delimiter")
    text = "    delimiter" + block[2].partition("\n`event_time")[0]
    mapping = mapping_of(tmp_path, "\n".join(line[4:] for line in text.splitlines()))

    assert mapping.columns is not None
    assert mapping.columns["Order no."] == ("event_id", "custom_data.order_id")
    assert mapping.times.zone == ZoneInfo("Europe/Berlin")
