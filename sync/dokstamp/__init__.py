"""The dokstamp part."""
