"""Take the pictures of the docs anew: a relay that delivers, a browser that looks at it.

``python -m docs.screenshots`` in the top folder. It needs Chromium; what it starts is on loopback and ends with it.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import requests

from tests.fakes.events import bad_events, purchase
from tests.fakes.relay import ROOT, Relay, wait_until
from tests.fakes.server import free_port
from tests.fakes.simulator import Simulator

IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 150_000
LOGIN = ("ann", "flower")
TOKENS = {"1234567890": "EAAdemoone", "2345678901": "EAAdemotwo", "3456789012": "EAAdemothree"}
FLOWER = [sys.executable, "-m", "celery", "-A", "worker.app", "flower", "--conf=deploy/flowerconfig.py"]
BROWSER = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
ROUNDS = 12


def main() -> int:
    """Take every picture; return the exit code."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("screenshots need chromium on the PATH", file=sys.stderr)
        return 1
    IMAGES.mkdir(exist_ok=True)
    port = free_port()
    with (
        tempfile.TemporaryDirectory() as folder,
        Simulator(TOKENS) as meta,
        Relay(Path(folder), meta.url, TOKENS) as relay,
        subprocess.Popen(
            FLOWER,
            cwd=ROOT,
            env={**relay.env, "FLOWER_PORT": str(port), "FLOWER_BASIC_AUTH": ":".join(LOGIN)},
            stderr=subprocess.DEVNULL,
        ) as flower,
    ):
        try:
            wait_until(lambda: _answers(port), "Flower answers")
            relay.start_worker()
            _deliver(relay, meta)
            return _picture(browser, f"http://{':'.join(LOGIN)}@127.0.0.1:{port}/tasks", IMAGES / "flower.png")
        finally:
            flower.kill()


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthcheck", timeout=2).ok
    except requests.ConnectionError:
        return False


def _deliver(relay: Relay, meta: Simulator) -> None:
    """Deliver in rounds, so that there are some tasks to see; in each round one event is wrong."""
    producer, bad = relay.producer(), next(iter(bad_events().values()))
    sent = 0
    for number in range(ROUNDS):
        for place, dataset_id in enumerate(TOKENS):
            events = [purchase(f"{number}-{dataset_id}-{each}") for each in range(300 * (place + 1))]
            producer.enqueue_many([*events, bad], dataset_id=dataset_id)
            sent += len(events)
        _wait_for(meta, sent)
    producer.close()


def _wait_for(meta: Simulator, events: int) -> None:
    wait_until(
        lambda: sum(each["events"] for each in meta.ledger()["datasets"].values()) >= events, "all are delivered"
    )


def _picture(browser: str, url: str, path: Path) -> int:
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                browser,
                *BROWSER,
                f"--user-data-dir={profile}",
                "--window-size=1680,560",
                "--virtual-time-budget=8000",
                f"--screenshot={path}",
                url,
            ],
            check=True,
            timeout=90,
            stderr=subprocess.DEVNULL,
        )
    size = path.stat().st_size
    print(f"{path.relative_to(ROOT)}: {size} bytes")
    return int(size > MOST_BYTES)


if __name__ == "__main__":
    sys.exit(main())
