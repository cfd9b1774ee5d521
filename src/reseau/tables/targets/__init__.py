"""What is predicted: classes or a quantity, and how well."""
