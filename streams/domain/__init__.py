"""streams/domain."""
