"""The keys of an event, whatever their case and punctuation: how they are compared, and what of it is remembered."""

import tracemalloc

from capi_relay.fields import squeezed


def test_a_key_is_known_in_any_spelling_and_what_is_no_text_is_no_key() -> None:
    assert [squeezed(key) for key in ("firstName", "first_name", "First-Name", 7, None)] == [*["firstname"] * 3, "", ""]


def test_long_keys_and_ever_new_ones_are_not_kept_in_memory() -> None:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(3000):
            squeezed(f"{number}-" * 500)
            squeezed(f"key {number}")
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert kept - before < 500_000
