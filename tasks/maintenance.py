"""``capi.tick`` and ``capi.sweep``: publish hints, repair the lane index."""

from worker.app import app, duties
from worker.duties import Summary


@app.task(name="capi.tick", ignore_result=True)
def tick() -> Summary:
    """Publish hints for the lanes worth taking."""
    return duties().tick()


@app.task(name="capi.sweep", ignore_result=True)
def sweep() -> Summary:
    """Repair the lane index."""
    return duties().sweep()
