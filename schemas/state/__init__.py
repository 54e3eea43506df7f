"""Rows of the fold's tables. A changelog outlives a deploy: rows are versioned Avro like events."""
