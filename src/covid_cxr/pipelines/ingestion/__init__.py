"""Raw tables of each cohort to one radiograph table."""
