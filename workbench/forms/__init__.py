"""The forms: Panel components that record, correct and void sales."""
