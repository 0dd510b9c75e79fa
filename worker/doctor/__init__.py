"""Judges what a worker needs: facts in, findings with their fixes out. ``check`` tells them all, a start the worst."""
