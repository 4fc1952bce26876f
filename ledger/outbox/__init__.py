"""The outbox part."""
