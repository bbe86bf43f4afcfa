"""The command `python -m edge.deploy`, which is edge-deploy."""

from edge.deploy.command import main

main()
