"""The mapping part."""
