"""``capi.deliver``: a hint without arguments; the lane is chosen when it runs."""

from worker.app import app, duties
from worker.duties import Summary


@app.task(name="capi.deliver", ignore_result=True)
def deliver() -> Summary:
    """Deliver what is due; the summary is for Flower."""
    return duties().deliver()
