"""Real engines and our own processes under one parent, for development, the demo and the tests.

Nothing here is needed in production: the same processes run against real servers by settings.
"""
