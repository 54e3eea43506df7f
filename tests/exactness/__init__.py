"""The exactness harness: real processes, injected faults, and a comparison of everything.

    python -m tests.exactness --seed 11 --events 200000 --kills 100 --minutes 10

Pure parts: `workload` (what upstream says), `faults` (what goes wrong when), `expected` (what must
come of it), `differences` (how two views are compared). Shells: `engines` and `proxy` (Kafka,
Valkey and ClickHouse that can be disturbed), `fleet` (our processes under a supervisor), `feeder`,
`injector`, `drain`, `stores` (reading everything back), `run` (one torture).
"""
