"""The contract: whatever crosses a process, a disk or a wire.

Imports pydantic and fastavro only.
"""
