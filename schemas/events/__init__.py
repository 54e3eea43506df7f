"""schemas/events."""
