"""The HTTP contract: routes, errors, headers, keys, documentation."""
