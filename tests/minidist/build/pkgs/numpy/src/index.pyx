# The size of a triangular matrix
def triangle(n): n * (n + 1) / 2
