"""config.yaml and checks/*.yaml to typed settings and definitions, or every fault at once."""
