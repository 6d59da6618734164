# The multiplicative order of x modulo x^2 + b x + c over GF(p)
function order(p, b, c,    u, v, t, k) {
    u = 1; v = 0                # x = u x + v
    for (k = 1; k <= p * p; k++) {
        if (u == 0 && v == 1) return k
        t = (v - u * b + p * p) % p
        v = (p * p - u * c) % p
        u = t
    }
    return 0
}
BEGIN {
    count = split("3 5 7 11 13 17 19 23", primes, " ")
    for (i = 1; i <= count; i++) {
        p = primes[i]
        # the smallest primitive root
        for (g = 2; g < p; g++) {
            power = g
            for (k = 1; power != 1; k++) power = power * g % p
            if (k == p - 1) break
        }
        print p, 1, p - g, 1
        done = 0
        for (b = 0; b < p && !done; b++)
            if (order(p, b, g) == p * p - 1) {
                print p, 2, g, b, 1
                done = 1
            }
    }
}
