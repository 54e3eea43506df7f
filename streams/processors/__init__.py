"""streams/processors."""
