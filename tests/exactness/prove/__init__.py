"""Every protection, and the test that fails without it."""
