"""The preset `sharp`: a student that learns from a teacher and is sharpened by discriminators."""
