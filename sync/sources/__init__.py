"""The sources part."""
