"""Celery reads CELERY_BROKER_URL by itself; what it connects to is all the same what the settings made of it."""

import os
import subprocess
import sys

import pytest

from tests.fakes.relay import ROOT

ASKED = """
from worker.app import app
for connection in (app.connection_for_read(), app.connection_for_write(), app.connection()):
    print(connection.transport_cls, connection.ssl and connection.ssl["ssl_cert_reqs"].name)
"""


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("rediss://broker:6379/0", "rediss CERT_REQUIRED"),
        ("rediss://broker:6379/0?ssl_cert_reqs=none", "rediss CERT_NONE"),
        ("unix:///run/broker.sock", "redis False"),
        ("redis://broker:6379/0", "redis False"),
    ],
)
def test_every_connection_to_the_broker_is_as_the_settings_say(url: str, expected: str) -> None:
    env = {**os.environ, "CAPI_REDIS_URL": "redis://store:6379/0", "CELERY_BROKER_URL": url}
    done = subprocess.run(
        [sys.executable, "-c", ASKED], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.splitlines() == [expected] * 3
