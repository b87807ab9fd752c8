"""What a study asks: its cohorts, training sets, paths and target, from `study.yml`."""
