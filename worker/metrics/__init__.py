"""The metrics of a whole installation, in the form that Prometheus reads; all of it is in the event store."""
