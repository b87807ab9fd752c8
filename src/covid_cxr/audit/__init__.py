"""What a reviewer asks of the data: leakage, and what else tells the label."""
