"""What people drop into the models folder: noticed when whole, read without trust, described."""
