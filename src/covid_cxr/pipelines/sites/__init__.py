"""Leave one site out: phase 3 trained without a site, tested there."""
