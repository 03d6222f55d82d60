"""Risk that a customer leaves: with a contract, and without one."""
