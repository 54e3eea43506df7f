"""sinks/live."""
