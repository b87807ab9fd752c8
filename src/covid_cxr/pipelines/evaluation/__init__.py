"""The paths' COVID-19 scores to every statistic beyond the paper's, and Figure 3."""
