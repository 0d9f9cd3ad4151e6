"""What all estimators share: checks of what the user gives, and what a fit does around its work."""
