"""Re-review: what reviewers are asked, what they decide, what of it is booked, what is checked again."""
