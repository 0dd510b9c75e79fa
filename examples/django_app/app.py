"""A Django view that reports a registration once it is committed.

Start it: python examples/django_app/app.py runserver
"""

import logging
import sys
from typing import Any

import django
from conversions import registration
from django.conf import settings
from django.core.management import execute_from_command_line
from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST

from capi_relay import Producer, RelayError

log = logging.getLogger(__name__)
producer = Producer.from_env()  # one for the process; opens nothing before its first use


@require_POST
def register(request: HttpRequest) -> JsonResponse:
    form = {name: request.POST[name] for name in ("email", "first_name", "last_name")}
    event = registration(form, visitor_of(request))
    with transaction.atomic():
        # Here a real site saves the account. What is rolled back is never reported.
        transaction.on_commit(lambda: report(event))
    return JsonResponse({"event_id": event["event_id"]})


def visitor_of(request: HttpRequest) -> dict[str, str | None]:
    return {
        "url": request.build_absolute_uri(),  # of the page the visitor is on
        "ip": request.META.get("REMOTE_ADDR"),  # behind a proxy this is the proxy's
        "user_agent": request.headers.get("User-Agent"),
        "fbp": request.COOKIES.get("_fbp"),
        "fbc": request.COOKIES.get("_fbc"),
    }


def report(event: dict[str, Any]) -> None:
    try:
        receipt = producer.enqueue(event)
    except RelayError as error:  # the account stands, whatever becomes of its report
        log.error("a registration is not reported: %s", error)  # noqa: TRY400 - its message says it all
    else:
        for warning in receipt.warnings:
            log.warning("registration: %s", warning)


urlpatterns = [path("register", register)]

settings.configure(
    DEBUG=True,
    SECRET_KEY="for this example only",  # noqa: S106 - it signs nothing here
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
