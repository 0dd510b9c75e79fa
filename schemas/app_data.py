"""``app_data``: what Meta wants to know of the device where ``action_source`` is ``app``.

Open: connectors in production send further keys here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from marshmallow import ValidationError

from schemas.base import Fault, OpenSchema, where
from schemas.fields import Boolean, Flag, Strict, Text

EXTINFO_LENGTH: Final = 16
EXTINFO_VERSIONS: Final = ("a2", "i2")
EXTINFO_OS_VERSION: Final = 4


@dataclass(frozen=True, slots=True)
class ExtInfoMembers:
    """All 16 positions are there; the version and the operating system's version are filled."""

    length: int = EXTINFO_LENGTH
    versions: tuple[str, ...] = EXTINFO_VERSIONS
    os_version_index: int = EXTINFO_OS_VERSION
    # Meta's pages type five positions as integers or as strings; null is what the Python SDK sends for an unset one.
    types: tuple[type, ...] = (str, int, float, type(None))

    def __call__(self, value: Sequence[object]) -> None:
        """Raise ValidationError, by position."""
        if len(value) != self.length:
            raise ValidationError("extinfo_length")
        bad = {index: ["bad_extinfo_member"] for index, each in enumerate(value) if type(each) not in self.types}
        if value[0] not in self.versions:
            bad[0] = ["bad_extinfo_version"]
        os_version = value[self.os_version_index]
        if not (isinstance(os_version, str) and os_version.strip()):
            bad[self.os_version_index] = ["extinfo_without_os_version"]
        if bad:
            raise ValidationError(bad)


class ExtInfo(Strict):
    """The device, as a list of 16 positions (Meta: app-data)."""

    types = (list,)
    wrong_type = "not_list"

    def __init__(self, *, required: bool) -> None:
        super().__init__(required=required, validate=ExtInfoMembers())


class AppDataSchema(OpenSchema):
    """Meta: app-data."""

    advertiser_tracking_enabled = Flag(required=True)
    application_tracking_enabled = Flag()
    extinfo = ExtInfo(required=True)
    campaign_ids = Text()
    install_referrer = Text()
    installer_package = Text()
    vendor_id = Text()
    windows_attribution_id = Text()
    consider_views = Boolean()
    include_dwell_data = Boolean()
    include_video_data = Boolean()


@where("action_source", "app")
def app_has_app_data(event: Mapping[str, Any]) -> Iterator[Fault]:
    """Find an app event that says nothing of its device."""
    if "app_data" not in event:
        yield Fault(("app_data",), "app_without_app_data")
