"""What the fold writes for others: metric partials and effects."""
