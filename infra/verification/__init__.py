"""Reconciliation: the worker's tables, ClickHouse, Valkey and an offline fold must say the same.

Pure: `sums` (hashes that don't depend on order), `tally` (what a state forgets, counted on the
way), `comparing` (parts of buckets at the offsets they stand at), `tracing` (the entries behind a
difference). Shells: `views` read the stores, `verifying` is one run, `service` repeats it.
"""
