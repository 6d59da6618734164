    command -v pandoc >&5
