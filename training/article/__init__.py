"""The preset `article`: the CVAE of the article, trained as in the article."""
