#!/bin/sh
# A program in SAGE_LOCAL that runs Python from SAGE_VENV
exec @python@ -m "$@"
