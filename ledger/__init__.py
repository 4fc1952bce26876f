"""What happened, what is owed, what is linked, and the proof of it."""
