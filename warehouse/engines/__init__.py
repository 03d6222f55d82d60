"""The engine that holds what models read and make: DuckDB here, or Spark on a cluster."""
