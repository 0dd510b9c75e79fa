"""Say in plain English why events are not delivered and what to do: our own words beside Meta's localised ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from worker.error_table import row_of


@dataclass(frozen=True, slots=True)
class Explanation:
    """One cause, one fix; whole sentences."""

    cause: str
    fix: str


def explain(reason: str, code: int | None, subcode: int | None, fields: Sequence[str] = ()) -> Explanation:
    """Explain a dead letter by its door, or a pause by its reason, with Meta's code and the fields where known.

    Never raises: an unknown reason or code gets what can be said of any.
    """
    found = _REASONS.get(reason, _ANY)
    if code is not None and reason not in _OWN_DOORS:
        found = _with_code(found, code, subcode)
    if not fields:
        return found
    return Explanation(f"{found.cause} Fields: {'; '.join(field.rstrip('.') for field in fields)}.", found.fix)


def _with_code(found: Explanation, code: int, subcode: int | None) -> Explanation:
    if code == _INVALID_PARAMETER and subcode in _RULES:
        return _RULES[subcode]
    row = row_of(code, subcode)
    said = f"Meta says: {row.meaning}." if row else f"Meta's code {code} is not known to this version of capi-relay."
    return Explanation(f"{found.cause} {said}", found.fix)


_INVALID_PARAMETER = 100
_ANY = Explanation(
    "Meta did not take it.",
    "Look up the code in Meta's documentation, or ask its support with the fbtrace_id; correct the cause.",
)

# What we find out ourselves: a code of Meta's, from an earlier try, would only mislead here.
_OWN_DOORS = frozenset({"invalid", "expired", "undecodable", "crashed", "parked", "duplicate", "erased"})

_REASONS = {
    "invalid": Explanation(
        "The event breaks one of Meta's documented rules; Meta would have refused the whole batch for it.",
        "Correct the fields in the application that enqueues them. This stored event stays wrong: mend it with "
        "`python -m worker dead edit ID --set path=value` (see `dead show ID`); a plain replay would fail again.",
    ),
    "rejected": Explanation(
        "Meta refused this one event; its neighbours in the batch were delivered.",
        "Correct the event in the application that enqueues it; replay only if the cause lay with Meta.",
    ),
    "expired": Explanation(
        "The event is older than Meta accepts: 7 days, or 62 for physical_store.",
        "It cannot be delivered any more. Find out what held it (a pause, a long outage, an old event_time); purge it.",
    ),
    "undecodable": Explanation(
        "The stored bytes are no JSON object that may be sent (broken text, NaN, a duplicate key, nested too deep).",
        "Look for what writes into the event store past the producer; purge it, it cannot be sent.",
    ),
    "crashed": Explanation(
        "Each time a worker took this event it died before it could say what happened.",
        "Keep the event for a report and look at the worker's logs and memory limit; replay after the fix.",
    ),
    "parked": Explanation(
        "Meta may or may not have received it, and the dataset is set to on_in_doubt = hold: it is not sent again.",
        "Compare with Events Manager by event_id; replay what is missing there, purge the rest.",
    ),
    "duplicate": Explanation(
        "The same event (event_id and event_name) was already on its way.",
        "Nothing to do; where both were meant, give them different event_ids.",
    ),
    "erased": Explanation("It was erased on request.", "Nothing to do."),
    "no_token": Explanation(
        "No access token is configured for this dataset; its events wait.",
        "Add the dataset and its token to the datasets file; delivery goes on by itself.",
    ),
    "token": Explanation(
        "Meta does not accept the access token any more; the events wait.",
        "Generate a new token in Events Manager and put it in place of the old one; delivery goes on by itself.",
    ),
    "blocked": Explanation(
        "Meta takes nothing for this dataset now, whatever the events are; they wait.",
        "Check the dataset's id, the token's permission for it and the Graph version; then `resume` the dataset.",
    ),
    "unknown_code": Explanation(
        "Meta refuses all of this dataset with a code that does not say whose fault it is; the events wait.",
        "Look up the code, or ask Meta's support with the fbtrace_id; correct the cause, then `resume` the dataset.",
    ),
    "rate_limited": Explanation(
        "Meta's limit of calls is reached, or 95 % of it; the events wait for as long as Meta asks.",
        "Nothing to do; where it comes often, ask Meta for a higher access tier.",
    ),
    "too_large": Explanation(
        "The request was larger than Meta takes.", "Nothing to do: smaller ones are sent and the size is remembered."
    ),
    "transient": Explanation(
        "Meta's service had a passing fault; the events are tried again until they expire.",
        "Nothing to do; where it lasts, look at Meta's status page.",
    ),
    "local_trouble": Explanation(
        "This machine cannot reach Meta (name resolution, connection or TLS).",
        "Check the machine's network, firewall, clock and certificates with `check`.",
    ),
}

_UNKNOWN_RULE = Explanation(
    "The event breaks a rule that Meta does not document (its subcode is known only by number).",
    "Compare the event with one that was delivered; ask Meta's support with the fbtrace_id.",
)

# Subcodes of code 100. Meta documents none of them; what each means was learnt from real answers that were made public.
_RULES: dict[int | None, Explanation] = {
    2804001: Explanation(
        "The click id (user_data.fbc) does not have the form fb.<index>.<milliseconds>.<fbclid>.",
        "Send the _fbc cookie unchanged, or leave fbc out.",
    ),
    2804003: Explanation(
        "event_time is older than 7 days (62 for physical_store).",
        "Send events as they happen, event_time in seconds; an event this old cannot be delivered any more.",
    ),
    2804004: Explanation(
        "event_time is in the future.",
        "Send Unix seconds, not milliseconds, and keep the application's clock right; replay when the time has come.",
    ),
    2804007: _UNKNOWN_RULE,
    2804008: Explanation("An item of custom_data.contents has no id.", "Give every item of contents an id."),
    2804009: Explanation("A Purchase has no value.", "Send custom_data.value with every Purchase."),
    2804010: Explanation("A Purchase has no currency.", "Send custom_data.currency, such as EUR, with every Purchase."),
    2804016: Explanation(
        "A user_data field that must be hashed was sent as plain text.",
        "Enqueue through capi_relay.Producer, which hashes it, or send its SHA-256 in hex.",
    ),
    2804017: _UNKNOWN_RULE,
    2804019: Explanation(
        "A required key is missing, a key is unknown to Meta, or a value has the wrong type.",
        "Use Meta's field names at their documented places; own keys are allowed in custom_data only.",
    ),
    2804023: Explanation("A value came without a currency.", "Send custom_data.currency wherever a value is sent."),
    2804030: Explanation(
        "Meta wants a choice about Limited Data Use.", "Set data_processing_options for the dataset, if only to []."
    ),
    2804036: Explanation(
        "user_data.lead_id is not one of Meta's lead ids.",
        "Send the 15 to 17 digit id that came with the lead, or leave lead_id out.",
    ),
    2804043: Explanation(
        "app_data.extinfo has no OS version.", "Fill the fifth place of extinfo with the OS version, such as 13.4.1."
    ),
    2804048: _UNKNOWN_RULE,
    2804050: Explanation(
        "user_data holds too little to find a person by.",
        "Add an identifier such as em, ph, external_id, fbp, fbc or client_ip_address with client_user_agent.",
    ),
    2804063: Explanation(
        "A business_messaging event has no messaging_channel.",
        "Send messaging_channel: messenger, whatsapp or instagram.",
    ),
    2804064: Explanation(
        "A business_messaging event has a field of web events, such as fbc.",
        "Leave out event_source_url, client_ip_address, client_user_agent, fbc and fbp.",
    ),
    2804066: Explanation(
        "This event_name is not allowed for business_messaging.",
        "Use one of Meta's names for it, such as Purchase or LeadSubmitted.",
    ),
    2804069: Explanation("A Messenger event has no page_id.", "Send user_data.page_id."),
    2804071: Explanation(
        "The event has neither ctwa_clid nor page_scoped_user_id.",
        "Send the one that belongs to the channel: ctwa_clid for WhatsApp, page_scoped_user_id for Messenger.",
    ),
    2804079: Explanation(
        "An Instagram event has no Instagram account id.", "Send user_data.ig_account_id together with ig_sid."
    ),
    2804087: Explanation("ctwa_clid is not valid.", "Send the click id of the WhatsApp webhook unchanged."),
    2804116: Explanation(
        "A WhatsApp event has neither page_id nor whatsapp_business_account_id.",
        "Send user_data.whatsapp_business_account_id.",
    ),
}
