"""Settings for all tests."""

from hypothesis import HealthCheck, settings

# Kernels compile inside tests and machines are shared: time is no reason for an example to fail.
settings.register_profile("textworlds", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.load_profile("textworlds")
