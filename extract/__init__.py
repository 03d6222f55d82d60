"""Stage 1, source -> landing: read what changed in a source system, in one snapshot, as it is."""
