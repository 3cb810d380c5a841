"""Settings for all tests."""

import signal

from hypothesis import HealthCheck, settings

# Kernels compile inside tests and machines are shared: time is no reason for an example to fail.
settings.register_profile("textworlds", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.load_profile("textworlds")

# Shells start what runs in the background deaf to interrupts, and the commands under test would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
