"""Run edge-deploy as `python -m edge.deploy`."""

from edge.deploy.command import main

main()
