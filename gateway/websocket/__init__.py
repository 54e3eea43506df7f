"""The websocket server: a thin shell around `gateway.protocol`.

    Kafka ─▶ reader (a thread) ─▶ hub ─▶ links ─▶ browsers
    browsers ─▶ links ─▶ sessions (gateway.protocol) ─▶ decisions, carried out by hub and links

Everything but the reader runs on one event loop, so that a decision and the next record never
meet half-way. One process per core; several share a port.

Source: docs/realtime.md, "The server".
"""
