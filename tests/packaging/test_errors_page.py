"""The page of Meta's errors says what the worker goes by: its tables are the code table's and the explanations'."""

import re

from docs.errors_page import PAGE, rewritten, verdicts_shown
from worker.error_table import ROWS, STATUS_ROWS


def test_the_page_is_what_the_code_table_says() -> None:
    assert PAGE.read_text() == rewritten(PAGE.read_text()), "run python -m docs.errors_page"


def test_every_row_of_the_code_table_stands_on_the_page() -> None:
    shown = set(verdicts_shown())
    rows = re.findall(r"^\| (?:HTTP |below )?\d.* \|$", PAGE.read_text(), re.MULTILINE)

    assert {row.verdict for row in ROWS} | {row.verdict for row in STATUS_ROWS} <= shown
    assert len(rows) == len(ROWS) + len(STATUS_ROWS)
