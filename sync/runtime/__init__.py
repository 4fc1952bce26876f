"""The runtime part."""
