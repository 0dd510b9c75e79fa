import json
from hashlib import sha256

from worker.cli.dead_selection import content_of, shortened
from worker.dead_letters import read_letter, record_of
from worker.store import StoredDeadLetter

RAW = {"event_name": "Lead", "user_data": {"em": "ada@example.com"}}
DIGEST = sha256(b"ada@example.com").hexdigest()


def letter(event: bytes, reason: str) -> StoredDeadLetter:
    record = record_of(reason=reason, event=None, enqueued_ms=1, attempts=0)
    return StoredDeadLetter("1764000000000-0", "123", event, b"", record.encode())


def content(event: bytes, reason: str) -> dict[str, object]:
    stored = letter(event, reason)
    return content_of(stored, read_letter(stored))


def test_an_undecodable_entry_shows_its_size_and_digest_and_no_byte() -> None:
    event = json.dumps(RAW).encode()

    assert content(event, "undecodable") == {"size_bytes": len(event), "sha256": sha256(event).hexdigest()}


def test_what_turns_out_to_be_no_json_is_not_shown_either() -> None:
    assert content(b"\xff ada@example.com", "crashed").keys() == {"size_bytes", "sha256"}


def test_an_event_that_was_never_validated_is_hashed_before_it_is_shown() -> None:
    assert content(json.dumps(RAW).encode(), "crashed") == {
        "event": {"event_name": "Lead", "user_data": {"em": DIGEST}}
    }


def test_digests_are_shortened_wherever_they_stand_and_nothing_else_is() -> None:
    event = {"user_data": {"em": [DIGEST], "fbp": "fb.1.1700000000123.1"}, "value": 1.5, "opt_out": None}

    assert shortened(event) == {
        "user_data": {"em": [f"{DIGEST[:12]}..."], "fbp": "fb.1.1700000000123.1"},
        "value": 1.5,
        "opt_out": None,
    }
