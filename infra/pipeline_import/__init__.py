"""Import of a sales pipeline kept in CSV files: files → rows → events with their true times."""
