"""Believable traffic over every event type of the catalogue, the same for the same seed. Pure."""
