"""What holds for all tests: hypothesis measures no time, since a loaded machine would make it fail."""

from hypothesis import HealthCheck, settings

settings.register_profile("relay", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("relay")
