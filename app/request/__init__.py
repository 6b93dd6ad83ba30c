"""What can be asked for: the queries, their limits and messages. Knows no HTTP answer."""
