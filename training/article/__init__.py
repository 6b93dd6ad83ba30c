"""The preset `article`: the CVAE of the article, trained as the article does it."""
