"""Lifetime value of customers without a contract: BG/NBD, Gamma-Gamma, hold-out."""
