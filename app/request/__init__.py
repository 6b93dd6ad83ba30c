"""What can be asked for: the queries, their checks and messages. Knows no HTTP answer."""
