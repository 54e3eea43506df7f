"""PURE: what becomes of a record on its way out. No I/O, clock, randomness or logging here.

`tables` says where rows go, `records` makes them, `lanes` cuts batches and guards order, `ledger`
decides what a claim means, `statements` writes SQL, `versions` plans migrations, `valkey` lays out
the live values.
"""
