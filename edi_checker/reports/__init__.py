"""Reports of what a check found: a journal for each input, and writers that render journals."""
