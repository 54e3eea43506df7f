"""Metrics: one definition each, one fold for the live table, ClickHouse and every check."""
