"""A fake of Meta's ``POST /{version}/{dataset_id}/events`` for demos and tests; it shares no code with the relay."""
