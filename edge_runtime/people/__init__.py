"""Who is who: templates of people, and what the sights of a face say of them."""
