# ruff: noqa: INP001 - Flower executes this file; it is no module
"""Flower's configuration: on loopback, behind a password, looking only.

Read by ``celery -A worker.app flower --conf=deploy/flowerconfig.py``. FLOWER_ADDRESS, FLOWER_PORT and FLOWER_BASIC_AUTH
(``user:password``, or a file of it in FLOWER_BASIC_AUTH_FILE) come from the environment.
"""

import os
from logging import CRITICAL, getLogger  # not the module: Flower would take its name for an option

from capi_relay.environment import value_of
from capi_relay.errors import MisconfiguredError
from worker.app import app


def _basic_auth() -> str:
    try:
        pair = value_of(os.environ, "FLOWER_BASIC_AUTH") or ""
    except MisconfiguredError as error:
        raise SystemExit(f"Flower cannot start: {error}") from None
    user, _, password = pair.partition(":")
    if not (user and password and pair.isascii()):
        raise SystemExit(
            "Flower cannot start: set FLOWER_BASIC_AUTH to user:password (plain ASCII), "
            "since whoever reaches it without one sees all that the workers do"
        )
    return pair


basic_auth = [_basic_auth()]
# Flower's own default is every interface of the machine.
address = os.environ.get("FLOWER_ADDRESS") or "127.0.0.1"
port = int(os.environ.get("FLOWER_PORT") or 5555)
# No page and no call of the API may stop a worker, revoke a task or apply one.
read_only = True
# A task carries no event, and these columns show no argument all the same; its result is a summary of counts.
tasks_columns = "name,state,result,received,runtime,worker,uuid"
max_tasks = 10_000
# Workers take no remote control, so each look at one would be told as a failure.
getLogger("flower.inspector").setLevel(CRITICAL)
# Flower asks the broker for many things at once, with two connections each: a small pool locks it up for good.
app.conf.broker_pool_limit = None
