# To be sourced; changes with every release.
SAGE_VERSION='1.0'
SAGE_RELEASE_DATE='2023-01-29'
