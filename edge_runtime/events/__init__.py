"""What happened, as events; and rules that turn events into actions."""
