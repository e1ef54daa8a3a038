"""The words of eventwatch as frozen records; the standard library and array types only."""
