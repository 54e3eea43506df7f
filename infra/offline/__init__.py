"""The journal folded outside a worker: for audits, time travel, replays and what-if.

`points` says where to stop, `journal` reads, `folding` folds (pure), `snapshot` lays out a state in
a file (pure), `store` keeps such files, `reaching` brings them together.
"""
