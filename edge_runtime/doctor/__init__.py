"""Is this machine fit for the job? Looks, explains and suggests; changes nothing."""
