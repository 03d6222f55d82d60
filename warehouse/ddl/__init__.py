"""Definitions of what the warehouse file holds besides dbt's models: schemas raw and ops."""
