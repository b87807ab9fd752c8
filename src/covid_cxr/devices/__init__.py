"""On what trainings run: TensorFlow, devices and processes, precision and compiler."""
