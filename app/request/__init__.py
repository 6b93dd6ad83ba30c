"""What can be asked for, its limits and its canonical form. Knows no HTTP answer and no model."""
