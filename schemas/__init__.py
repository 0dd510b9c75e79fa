"""What a valid event is: Meta's rules as marshmallow schemas. *Invalid* means that Meta would refuse the event."""

from schemas.event import EventSchema
from schemas.problems import Problem, problems_of
from schemas.window import event_window

__all__ = ["EventSchema", "Problem", "event_window", "problems_of"]
