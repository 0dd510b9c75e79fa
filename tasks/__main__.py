"""Start a worker: ``python -m tasks``, which is ``celery -A worker.app worker`` with our options in 20 MB less.

Celery's command line loads all of its commands and every plug-in that is installed: Flower with its web server, too.
"""

import argparse
import sys
import warnings

# What libraries load where they find it, and nothing here uses: structlog rich, for its own tracebacks (4 MB); requests
# charset_normalizer, to guess at texts (1.5 MB), and it warns where that is missing.
for _name in ("rich", "charset_normalizer"):
    sys.modules.setdefault(_name, None)  # type: ignore[arg-type]  # None is Python's own sign for "not to be had"
warnings.filterwarnings("ignore", "Unable to find acceptable character detection")

from celery.utils.nodenames import default_nodename, host_format  # noqa: E402 - as above

from worker.app import SETTINGS, app  # noqa: E402
from worker.hints import QUEUE  # noqa: E402


def main() -> int:
    """Run a worker until a signal ends it; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tasks", description="Start a worker of capi-relay.")
    parser.add_argument("--hostname", help="the worker's name for Celery and Flower: w1@%%h; without it celery@%%h")
    worker = app.Worker(
        hostname=host_format(default_nodename(parser.parse_args().hostname)),
        pool_cls="threads",
        concurrency=SETTINGS.concurrency,
        queues=[QUEUE],
        without_gossip=True,
        without_mingle=True,
        loglevel="INFO",
    )
    worker.start()
    return int(worker.exitcode or 0)


if __name__ == "__main__":
    sys.exit(main())
