"""Published figures about public data, compared with what the models make of it."""
