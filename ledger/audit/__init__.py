"""The audit part."""
