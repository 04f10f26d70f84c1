"""What a search found, as one HTML file that needs no network."""
