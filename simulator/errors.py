"""The Graph errors the simulator can answer with, and the envelope they travel in (Meta: error-handling)."""

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class GraphError:
    """One refusal; ``None`` leaves the key out of the envelope, as Meta does."""

    code: int
    subcode: int | None = None
    status: int = 400
    message: str = "Invalid parameter"
    type: str = "OAuthException"
    is_transient: bool | None = None
    user_title: str | None = None
    user_msg: str | None = None

    @property
    def name(self) -> str:
        """Return ``code/subcode``, or the code alone where there is no subcode."""
        return str(self.code) if self.subcode is None else f"{self.code}/{self.subcode}"


def envelope(error: GraphError, fbtrace_id: str) -> dict[str, Any]:
    """Return the body of the answer that carries an error."""
    inside = {
        "message": error.message,
        "type": error.type,
        "code": error.code,
        "error_subcode": error.subcode,
        "is_transient": error.is_transient,
        "error_user_title": error.user_title,
        "error_user_msg": error.user_msg,
        "fbtrace_id": fbtrace_id,
    }
    return {"error": {key: value for key, value in inside.items() if value is not None}}


_LIMIT = "There have been too many calls to this ad-account. Wait a bit and try again."

# Errors that are not about an event; the first of a code is its usual one.
_GRAPH_ERRORS = (
    GraphError(1, status=500, message="An unknown error occurred"),
    GraphError(2, status=500, message="Service temporarily unavailable", is_transient=True),
    GraphError(4, status=403, message="(#4) Application request limit reached", is_transient=True),
    GraphError(10, status=403, message="(#10) Application does not have permission for this action"),
    GraphError(17, 2446079, message="(#17) User request limit reached"),
    GraphError(100),
    GraphError(100, 33, message="Unsupported post request.", type="GraphMethodException"),
    GraphError(104, message="An access token is required to request this resource."),
    GraphError(190, status=401, message="Invalid OAuth access token - Cannot parse access token"),
    GraphError(190, 460, 401, "Error validating access token: the password was changed."),
    GraphError(190, 463, 401, "Error validating access token: the session has expired."),
    GraphError(200, status=403, message="(#200) The caller lacks a permission for this dataset"),
    GraphError(803, status=404, message="(#803) Some of the aliases you requested do not exist"),
    GraphError(21009, message="(#21009) The data set upload is temporarily not ready."),
    GraphError(80004, 2446079, message=f"(#80004) {_LIMIT}"),
)

# Title and text of each rule an event can break: subcodes of 100.
_RULES = {
    2804001: ("Invalid Click ID", "The click ID (fbc) does not have the documented format."),
    2804003: ("Event Timestamp Too Old", "The timestamp of this event is too far in the past."),
    2804004: ("Event Timestamp In Future", "The timestamp of this event is in the future."),
    2804008: ("Missing Content ID", "An item of contents has no id."),
    2804009: ("Missing Value for Purchase Event", "A Purchase event needs a value."),
    2804010: ("Missing Currency for Purchase Event", "A Purchase event needs a currency."),
    2804016: ("User Parameter Not Hashed", "A customer information parameter must be hashed."),
    2804019: ("Server Side Api Parameter Error", "A parameter has a wrong shape."),
    2804023: ("Missing Currency", "An event with a value needs a currency."),
    2804036: ("Invalid Lead ID", "The lead_id is not valid."),
    2804043: ("Invalid extinfo", "The OS version in extinfo must not be blank."),
    2804050: (
        "Customer Information Insufficient",
        "The customer information of this event is too broad to be matched.",
    ),
    2804063: ("Missing Messaging Channel", "A business_messaging event needs a messaging_channel."),
    2804064: ("Parameter Not Allowed", "This parameter is not allowed for business_messaging."),
    2804066: ("Event Name Not Allowed", "This event name is not allowed for business_messaging."),
    2804069: ("Missing Page ID", "A messenger event needs a page_id."),
    2804071: ("Missing Messaging Identifier", "The event names no click or user of its messaging channel."),
    2804079: ("Missing Instagram Account ID", "An instagram event needs an ig_account_id."),
    2804116: ("Missing Account ID", "A whatsapp event needs a page_id or a whatsapp_business_account_id."),
}


def broken_rule(subcode: int, user_msg: str | None = None) -> GraphError:
    """Return the error of a rule that an event breaks; only the shape rule says which event."""
    title, text = _RULES.get(subcode, ("Invalid Parameter", "The event is not valid."))
    return GraphError(100, subcode, is_transient=False, user_title=title, user_msg=user_msg or text)


def wrong_shape(path: str, phrase: str) -> GraphError:
    """Return 2804019 in the form ``$['data'][0]['user_data'] is required``."""
    return broken_rule(2804019, f"{path} {phrase}")


def unexpected_key(key: str, path: str) -> GraphError:
    """Return 2804019 in the form ``Unexpected key "name" on param "$['data'][3]"``."""
    return broken_rule(2804019, f'Unexpected key "{key}" on param "{path}".')


def graph_error(code: int, subcode: int | None = None) -> GraphError:
    """Return a code's error, its usual one where no subcode is asked for; a plain 400 for a code in no table."""
    if code == 100 and subcode in _RULES:  # noqa: PLR2004 - Meta's own number: an invalid parameter
        return broken_rule(subcode)
    known = [error for error in _GRAPH_ERRORS if error.code == code]
    for error in known:
        if error.subcode == subcode:
            return error
    if known:
        return known[0] if subcode is None else replace(known[0], subcode=subcode)
    return GraphError(code, subcode, message=f"(#{code}) Simulated error")


MALFORMED = GraphError(100, message="(#100) The request body could not be read as UTF-8 JSON with a data parameter")
UNSUPPORTED_METHOD = GraphError(100, 33, message="Unsupported get request.", type="GraphMethodException")
UNKNOWN_PATH = GraphError(2500, message="Unknown path components")
