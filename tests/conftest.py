"""What every test may ask for, and how random tests are run."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A busy machine must not fail a test: nothing here depends on how long something takes.
settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    max_examples=100,
    database=None,
    print_blob=True,
    suppress_health_check=(HealthCheck.too_slow,),
)
# New examples at every run, and more of them: HYPOTHESIS_PROFILE=explore scripts/test
settings.register_profile(
    "explore", settings.get_profile("repeatable"), derandomize=False, max_examples=1_000
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture(scope="session")
def sample_data() -> Path:
    """Give the folder of real sample data that may stand beside the checkout."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no sample data beside this checkout")
    return folder
