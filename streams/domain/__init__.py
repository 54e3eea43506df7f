"""The fold: (state of one partition, journal entries) → (new state, effects). Pure."""
