"""The page for the office and the HTTP interface for programs: what is sent is answered, and kept nowhere."""
