"""Draw the figures that a picture says better: ``python -m benchmarks plot``, where matplotlib is installed."""

from importlib.util import find_spec
from pathlib import Path

from benchmarks.results import read_all

_PICTURE = Path(__file__).parents[1] / "docs" / "images" / "end_to_end.svg"
_RIVALS = ("sdk", "batches", "hand", "relay1", "relay2")


def draw() -> Path | None:
    """Draw delivered events/s of the relay and its rivals; return the picture, or None without matplotlib."""
    result = read_all().get("end_to_end")
    if find_spec("matplotlib") is None or result is None:
        return None
    from matplotlib.figure import Figure  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415 - optional

    figures = result["figures"]
    found = [figures[f"{name}_rate"] for name in _RIVALS if f"{name}_rate" in figures]
    picture = Figure(figsize=(8, 3), layout="constrained")
    axes = picture.subplots()
    bars = axes.barh([figure["label"] for figure in found], [figure["median"] for figure in found])
    axes.bar_label(bars, fmt="{:,.0f}", padding=3)
    axes.margins(x=0.15)
    axes.set_xlabel("delivered events/s, store and endpoint on the same cores")
    picture.savefig(_PICTURE, metadata={"Date": None})
    return _PICTURE
