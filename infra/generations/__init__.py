"""infra/generations."""
