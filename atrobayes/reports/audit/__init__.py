"""Whether the numbers of a table fit each other, one file a check."""
