"""Which models there are and what their manifests say of them."""
