"""The realtime protocol without I/O: frames in, decisions out, time passed in.

Centrifugo's JSON client protocol v2 as its published clients speak it. `session.Session` is one
connection; everything else is what it asks: channels, permissions, limits, histories. Nothing here
reads a clock, opens a socket or logs, so every rule can be tested without a browser.

Source: docs/realtime.md.
"""
