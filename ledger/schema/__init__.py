"""The schema part."""
