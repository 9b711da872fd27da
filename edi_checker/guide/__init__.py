"""What the implementation guide says, and what in a file differs from it."""
