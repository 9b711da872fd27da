"""How one input is checked and answered, from a setting to the last of its files."""
