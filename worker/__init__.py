"""The machinery of the relay: settings, store, Graph client, outcome, main path, dead letters, metrics and commands."""
