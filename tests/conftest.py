"""What holds for every test."""

from hypothesis import settings

# A busy machine makes an example slow, not wrong: no test asserts a time.
settings.register_profile("daybook", deadline=None)
settings.load_profile("daybook")
