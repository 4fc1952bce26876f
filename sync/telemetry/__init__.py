"""The telemetry part."""
