"""One input from bytes to findings and outcomes: rules asked, pieces remembered, claims split."""
