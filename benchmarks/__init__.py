"""What measures textworlds. It is no part of the package."""
