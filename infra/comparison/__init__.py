"""Two folds of the same journal, compared: what a replay or another decision changes."""
