"""Bytes to blocks of segments, and back."""
