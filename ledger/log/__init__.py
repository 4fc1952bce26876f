"""The log part."""
