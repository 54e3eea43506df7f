"""Definitions: what a tenant decides, journalled like events, one class per kind."""
