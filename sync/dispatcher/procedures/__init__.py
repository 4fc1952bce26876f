"""The procedures part."""
