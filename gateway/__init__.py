"""Browsers: the protocol they speak, the servers that speak it, the application they load."""
