"""Measured side by side in one run, repeatable: `make bench`. See docs/performance.md."""
