"""Power drawn by the machine, from whoever can say, the most trusted first."""
