"""A document that named reviewers approve before it is published."""
