"""Which records that no exact rule ties are probably one customer.

entities    records that exact rules tie become one entity; how rare a name is; keys to look under
model       weights and rules, trained once, kept as a versioned file
scoring     pairs of entities, scored by Splink on a DuckDB of its own
training    the weights, from records of which the truth is known
step        the computation between two layers of dbt; scores again only what changed
tables      the same for any table of people, without truth: `python -m analytics linkage`
measures    precision, recall, F1 and B-cubed against a truth

After Fellegi and Sunter (1969), "A Theory for Record Linkage", doi 10.1080/01621459.1969.10501049.
"""
