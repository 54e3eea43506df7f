"""The HTTP API: events in, figures and histories out, for programs and the web app."""
