"""Blocks to claims: light views, the profile of a payer, the minutes of a file."""
