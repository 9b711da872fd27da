"""Reports of what a check found: a log of the findings of each input, and writers that render it."""
