"""Install and update edge-listen on a Raspberry Pi: from a laptop over the user's own ssh, or on the Pi itself.

layout      paths on the machine that listens
shell       scripts from templates, whose values are quoted
host        a machine that runs scripts: over ssh, or this one
probe       runs there first and prints facts about the machine
target      these facts, and the reasons that nothing can be deployed there
package     the wheel of this package
wheels      the wheels of its requirements, for a machine without internet
release     the record of a release, the request for one, and their differences
scripts     the shell scripts of every step
service     the state of the service, and the wait for its first answer
deployment  deploy, roll back, remove
host_table  the table of hosts
command     the command line, several hosts in parallel
"""
