    command -v pkgconf >&5 && pkgconf --version >&5 2>&5
