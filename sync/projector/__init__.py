"""The projector part."""
