"""Ageing and lateness of any table of debts, by the SQL of the warehouse."""
