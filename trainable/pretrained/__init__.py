"""The small pretrained start that ships with the product, and the script that makes it."""
