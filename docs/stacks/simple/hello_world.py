"""The smallest job."""

print("hello world")
