# Arithmetic with machine integers
long binomial(long n, long k);
def gcd(a, b): b ? gcd(b, a % b) : a
def binomial(n, k): k == 0 ? 1 : binomial(n - 1, k - 1) * n / k
