import io
import json
from collections import Counter
from typing import Any

from rich.console import Console, RenderableType

from tests.fakes.events import digest, lead, purchase
from worker.cli.quality_view import as_json, quality_view
from worker.quality import Quality, fields_of, quality_of
from worker.store import Entry

NOW = 1_700_000_000


def quality(*events: dict[str, Any]) -> Quality:
    entries = [Entry("1-0", json.dumps(event).encode(), b"") for event in events]
    return quality_of(fields_of(entries, now=NOW, domains=(), test_mode=False))


def shown(view: RenderableType) -> str:
    text = io.StringIO()
    Console(file=text, width=80).print(view)
    return " ".join(text.getvalue().split())


BARE = quality(
    *(purchase(str(n), NOW, user_data={"em": [digest("ada@example.com")]}) for n in range(3)), lead("l", NOW)
)


def test_the_json_has_score_missing_warnings_and_how_many_were_sampled() -> None:
    told = as_json(BARE)

    assert (told["sampled"], told["warnings"]) == (4, {"website_without_user_agent": 3})
    assert told["score"] == BARE.overall.score
    assert told["missing"]["ph"] == 1.0
    assert told["events"]["Purchase"]["add_first"] == "`ph` is missing in 100 % of Purchase"


def test_without_samples_there_is_no_score() -> None:
    told = as_json(quality_of(Counter()))

    assert told == {"score": None, "missing": {}, "warnings": {}, "sampled": 0, "events": {}}


def test_a_person_sees_what_to_add_first_and_which_warnings_there_are() -> None:
    said = shown(quality_view({"1001": BARE, "1002": quality_of({})}))

    assert "1001 Purchase 3 3.0 `ph` is missing in 100 % of Purchase" in said
    assert "1001 website_without_user_agent 3 75 %" in said
    assert "1002" not in said


def test_nothing_sampled_is_told_in_words() -> None:
    assert "no match quality yet" in shown(quality_view({"1001": quality_of({})}))
