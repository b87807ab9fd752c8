"""The radiograph table: many patients, whatever source they come from."""
