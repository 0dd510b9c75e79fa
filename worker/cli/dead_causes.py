"""What ``dead groups`` and ``dead replay`` tell a person: causes, and what a replay would come to."""

from rich.text import Text

from worker.cli.console import moment, number, out, plain_or_grouped, safe
from worker.dead_groups import Group
from worker.dead_letters import ReplayCount
from worker.dead_verdict import Forecast
from worker.scrub import escape

CAUSES = 10
"""So many are told, where nothing else is asked for."""


def tell_group(each: Group, *, first: bool) -> None:
    """Print one cause: what, how many, since when, what to do."""
    first_at, last_at = moment(each.first_at)[:-3], moment(each.last_at)[:-3]
    if first_at[:10] == last_at[:10]:
        last_at = last_at[11:]
    head = (
        f"{number(each.events)} event(s), {number(len(each.datasets))} dataset(s), first {first_at}, last {last_at} UTC"
    )
    out().print(Text.assemble("" if first else "\n", (escape(each.cause.label), "bold")))
    out().print(f"  {head}; see one: dead show {each.example}", soft_wrap=True)
    out().print(safe(f"  {each.text}"), soft_wrap=True)
    out().print(safe(f"  {each.fix}"), soft_wrap=True)


def tell_replay(count: ReplayCount, found: Forecast, *, dry_run: bool) -> None:
    """Print what a replay did, or would do, and what it comes to."""
    out().print(f"{'would replay' if dry_run else 'replayed'} {plain_or_grouped(count.replayed)}")
    if count.gone:
        out().print(f"{number(count.gone)} were gone: somebody else replayed or purged them meanwhile")
    if count.not_replayable:
        out().print(f"{number(count.not_replayable)} cannot be replayed: no event in them can be sent")
    listed = found.as_json()["refused"]
    if not count.replayed or not (dry_run or listed):
        return
    if dry_run:
        out().print(f"Meta would still be asked to take {number(found.acceptable)} of them now")
    else:
        out().print("Some become dead letters again, as nothing in them was mended (dead edit does that):")
    for each in listed[:CAUSES]:
        fields = ", ".join(f"{field['path']} {field['code']}" for field in each["fields"])
        told = f"{number(each['events'])} would be {each['reason']}" + (f": {fields}" if fields else "")
        out().print(escape(told), soft_wrap=True)
    if len(listed) > CAUSES:
        out().print(f"and {number(sum(each['events'] for each in listed[CAUSES:]))} for other causes: see --json")
