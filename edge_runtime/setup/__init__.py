"""A card's ``edge.conf``: what a person writes on the boot partition before the first start."""
