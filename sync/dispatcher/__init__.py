"""The dispatcher part."""
