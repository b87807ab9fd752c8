"""Numbers to estimates with their uncertainty, without Kedro or TensorFlow."""
