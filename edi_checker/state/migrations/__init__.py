"""How the tables of the ledger came to be as they are; each step is a file of versions/."""
