"""Checks X12 837P professional claims before they are sent."""
