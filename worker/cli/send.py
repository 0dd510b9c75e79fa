"""``send``: enqueue the events of a file, waiting where the event store is full."""

import os
from collections.abc import Iterator
from itertools import batched
