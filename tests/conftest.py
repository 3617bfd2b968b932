"""How much Hypothesis does: `--hypothesis-profile=deep` is for the hours when nobody waits."""

from hypothesis import HealthCheck, settings

settings.register_profile("deep", settings(deadline=None, max_examples=3_000, stateful_step_count=130, suppress_health_check=list(HealthCheck), print_blob=True))
