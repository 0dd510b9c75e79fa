"""A program that puts secrets and personal data in every place that an error report is made of."""

import logging
import sys

import redis
import requests
import structlog
from celery import Celery

from worker.observability import configure_logging
from worker.reports import init_sentry

dsn, redis_url, mail, phone, token, digest, password = sys.argv[1:]
configure_logging("json")
init_sentry(dsn, "test")
log, plain = structlog.get_logger("worker.relay"), logging.getLogger("plain")
sink_url = dsn.rpartition("/")[0].replace("key@", "")
store = redis.Redis.from_url(redis_url)
app = Celery("leaky", broker="memory://")


class Client:
    def __repr__(self) -> str:
        return f"<Client {token}>"


@app.task(name="capi.leaky")
def leaky(event: dict[str, str]) -> None:
    address = event["em"]
    store.execute_command("NOSUCH", address, digest)  # type: ignore[no-untyped-call]  # redis-py has no type for it


def deliver(body: dict[str, list[str]], client: Client) -> None:
    secret = f"{mail} {phone}, {token} {digest}"
    raise ValueError(f"cannot take {secret} of {body} with {client}")


log.info("posting for %s", mail, ph=phone, dataset_id="123456789012")
sent = requests.get(
    f"{sink_url}/v23.0/1/events?access_token={token}&em={digest}",
    headers={"Authorization": f"Bearer {token}"},
    timeout=5,
)
sys.stdout.write(sent.text)
store.xadd("q", {"e": f"{mail} {digest}"})
leaky.apply(args=({"em": mail},))
plain.error("cannot reach redis://:%s@store for %s", password, mail, extra={"payload": {"ph": phone, "to": mail}})
try:
    deliver({"em": [mail]}, Client())
except ValueError:
    log.exception("batch failed", dataset_id="123456789012", lane="1/0", user_data={"em": digest})
raise RuntimeError(f"unhandled: {mail} {phone} {token} {digest}")
