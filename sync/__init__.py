"""Events in, DokStamp up to date."""
