"""sinks/mapping."""
