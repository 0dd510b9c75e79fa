"""Make a worker deaf: with this folder on PYTHONPATH its consumer never asks the broker for a message.

Everything else of it works: it looks healthy, ticks and publishes hints. Celery's own faults of this kind looked so.
The file that DEAF_ONCE names makes the next worker deaf and is gone then; who starts after that one hears.
"""

import os
import sys
from pathlib import Path

marker = Path(os.environ["DEAF_ONCE"])
if "tasks" in sys.orig_argv and marker.exists():
    marker.unlink()
    from kombu.transport.redis import Channel

    setattr(Channel, "_brpop_start", lambda *_: None)  # noqa: B010 - a method of another's class is put in place of
