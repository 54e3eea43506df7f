"""ClickHouse's HTTP protocol over one embedded engine.

`python -m infra.embedded.clickhouse --data DIR --port N --accounts FILE` owns one chDB data
directory and serves it on 127.0.0.1 to `clickhouse-connect`, SQLAlchemy and `curl`: everything
else talks to the embedded engine exactly as it talks to a ClickHouse server in production.

| module | job |
|---|---|
| `server` | one thread per connection, routes, failures → status codes |
| `execution` | one request from its statement to its answer |
| `planning` | from a statement's text to what runs |
| `results` | results of reads, streamed where the format allows it |
| `engine` | the data directory, fresh handles, slots, cancellation |
| `statement` | pure: where an INSERT ends and its data begins; syntax-tree rewrites |
| `review` | pure: what a client's statement may do |
| `catalogue` | pure: which functions, engines and settings are allowed |
| `limits` | pure: which settings of a request apply, capped |
| `accounts` | who may log in, with which limits |
| `body` | request bodies: chunks, compression, forms, the spool |
| `response` | response bodies: compression, chunks, exceptions after the headers |
"""
