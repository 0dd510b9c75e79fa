from typing import Any

import pytest

from capi_relay.fields import PERSONAL_IN_CUSTOM_DATA, PERSONAL_IN_EVENT
from capi_relay.personal import protect

CANARY = "canary"


@pytest.mark.parametrize("key", sorted(PERSONAL_IN_EVENT | {"Email", "first_name", "firstName", "date-of-birth"}))
def test_personal_keys_of_the_event_itself_are_left_out(key: str) -> None:
    event, warnings = protect({"event_name": "Lead", key: CANARY})

    assert event == {"event_name": "Lead"}
    assert warnings == (f"{key if '-' not in key else '(a key)'}: left out: it belongs in user_data",)


@pytest.mark.parametrize("key", sorted(PERSONAL_IN_CUSTOM_DATA | {"Email", "first_names", "lastName", "genders"}))
def test_personal_keys_of_custom_data_are_left_out(key: str) -> None:
    event, warnings = protect({"custom_data": {"value": 1, key: CANARY}})

    assert event == {"custom_data": {"value": 1}}
    assert warnings == (f"custom_data.{key}: left out: it belongs in user_data",)


def test_metas_own_place_keys_of_custom_data_stay() -> None:
    event = {
        "custom_data": {"city": "Rome", "region": "Lazio", "country": "IT", "postal_code": "00100", "status": "ok"}
    }

    assert protect(event) == (event, ())


def test_metas_event_keys_are_no_personal_keys() -> None:
    keys = (
        "event_name event_time event_id event_source_url action_source custom_data app_data opt_out referrer_url "
        "data_processing_options data_processing_options_country data_processing_options_state original_event_data "
        "customer_segmentation messaging_channel attribution_data advanced_measurement_table"
    )
    event: dict[str, Any] = dict.fromkeys(keys.split(), 1)

    assert protect(event) == (event, ())


@pytest.mark.parametrize("key", ["event_source_url", "referrer_url"])
def test_an_address_in_the_query_of_a_url_is_removed(key: str) -> None:
    event, warnings = protect({key: "https://shop.example/thanks?id=7&mail=john%40example.com"})

    assert event == {key: "https://shop.example/thanks?id=7&mail=REMOVED"}
    assert warnings == (f"{key}: an e-mail address in its query was removed: keep personal data out of URLs",)
