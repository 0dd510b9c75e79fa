"""10,000 events go from a file through the command line to Meta: each arrives once, and the bad ones are named."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pytest

from capi_relay.personal import protect
from tests.acceptance.site import Site, fingerprint, running_site
from tests.fakes import events

TOKENS = {"1001": "token-of-the-north", "1002": "token-of-the-south", "1003": "token-of-the-east"}
TOTAL = 10_000
REFUSED_BY_THE_SCHEMA = (
    "missing_event_name",
    "purchase_without_currency",
    "unknown_key",
    "unknown_key_in_contents",
    "weak_identifiers",
)
# Only the simulator refuses these: by a rule that names no event, and with a code that nobody knows.
UNNAMED, UNKNOWN = "poison-without-index", "poison-of-unknown-code"
FAULTS = (
    {"kind": "poison", "event_id_prefix": UNNAMED, "code": 100, "subcode": 2804009},
    {"kind": "poison", "event_id_prefix": UNKNOWN, "code": 31_337},
)


@dataclass(frozen=True, slots=True)
class Sent:
    """What was in the file, by dataset, and the site when all of it had left."""

    site: Site
    good: dict[str, list[events.Event]]
    bad: dict[str, list[events.Event]]
    answer: dict[str, Any]
    """What ``send --json`` said."""

    def dead(self) -> list[dict[str, Any]]:
        letters: list[dict[str, Any]] = json.loads(self.site.relay.command("dead", "list", "--json").stdout)
        return letters


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    """Send one file, into which the bad events were strewn, and wait until all of it has left."""
    folder = tmp_path_factory.mktemp("file")
    good, bad = _good_and_bad()
    lines = _shuffled(good, bad)
    with running_site(folder, TOKENS) as site:
        site.meta.faults(FAULTS)
        site.relay.start_worker()
        (folder / "events.jsonl").write_text("\n".join(lines) + "\n")
        answer = json.loads(site.relay.command("send", str(folder / "events.jsonl"), "--json").stdout)
        site.wait_until_empty()
        yield Sent(site, good, bad, answer)


def _shuffled(*by_dataset: dict[str, list[events.Event]]) -> list[str]:
    """Return the lines of a file in which the events of all datasets are mixed."""
    lines = [
        json.dumps({"dataset_id": name, "event": event})
        for each in by_dataset
        for name, group in each.items()
        for event in group
    ]
    random.Random(21).shuffle(lines)
    return lines


def _good_and_bad() -> tuple[dict[str, list[events.Event]], dict[str, list[events.Event]]]:
    planted = events.bad_events()
    culprits = [planted[name] for name in REFUSED_BY_THE_SCHEMA]
    culprits += [events.purchase(UNNAMED), events.purchase(UNKNOWN)]
    mixed = events.mixed(TOTAL - len(culprits) - 1, seed=20)
    # The one event that may leave out its action_source: the purchase it adds to has said it.
    mixed.append(events.purchase("later-value", event_name="AppendValue", original_event_data={"event_id": "order-1"}))
    del mixed[-1]["action_source"]
    names = list(TOKENS)
    return (
        {name: mixed[place :: len(names)] for place, name in enumerate(names)},
        {name: culprits[place :: len(names)] for place, name in enumerate(names)},
    )


def test_every_good_event_arrives_exactly_once_and_as_it_was_accepted(sent: Sent) -> None:
    expected = Counter(fingerprint(protect(event)[0]) for each in sent.good.values() for event in each)

    assert Counter(line["sha256"] for line in sent.site.meta.events()) == expected


def test_every_event_arrives_under_its_own_dataset_and_token_only(sent: Sent) -> None:
    arrived = defaultdict(set)
    for line in sent.site.meta.events():
        arrived[line["dataset"], line["token_fingerprint"]].add(line["event_id"])

    assert arrived == {
        (name, sha256(token.encode()).hexdigest()[:12]): {event["event_id"] for event in sent.good[name]}
        for name, token in TOKENS.items()
    }


def test_no_request_holds_more_than_a_thousand_events(sent: Sent) -> None:
    assert sent.site.meta.ledger()["largest_request_events"] <= 1000


def test_the_planted_events_and_no_others_are_dead_letters(sent: Sent) -> None:
    dead = Counter((letter["dataset_id"], letter["event_id"]) for letter in sent.dead())

    assert dead == Counter((name, event["event_id"]) for name, each in sent.bad.items() for event in each)


def test_a_dead_letter_says_who_refused_the_event_and_with_which_code(sent: Sent) -> None:
    said = {letter["event_id"]: (letter["reason"], letter["code"], letter["subcode"]) for letter in sent.dead()}

    assert said == {
        **{f"bad-{name}": ("invalid", None, None) for name in REFUSED_BY_THE_SCHEMA},
        UNNAMED: ("rejected", 100, 2804009),
        UNKNOWN: ("rejected", 31_337, None),
    }


def test_every_dead_letter_explains_itself(sent: Sent) -> None:
    assert [letter for letter in sent.dead() if not (letter["cause"] and letter["fix"])] == []


def test_send_says_how_many_events_it_accepted(sent: Sent) -> None:
    assert sent.answer["accepted"] == TOTAL


def test_the_books_balance_in_the_end(sent: Sent) -> None:
    sent.site.relay.command("reconcile", code=0)

    assert sent.site.counted("delivered") == TOTAL - 7
