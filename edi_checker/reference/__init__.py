"""What others publish: code sets, tables by date of service, the arithmetic of units."""
