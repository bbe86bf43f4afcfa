"""From a laptop to a listening Raspberry Pi: over the user's own ssh, or on the Pi itself.

host        a machine that runs shell scripts and takes files: by ssh and scp, or this one
probe       what runs there first, and tells what it is
target      what was told, and what can't work there
package     the wheel of this very package
wheels      those of all that it needs, for a machine without internet
layout      where everything is there
release     what shall be there, and what of it already is
scripts     the shell scripts of every step
service     how the service goes, and the wait for its first answer
deployment  the story: deploy, roll back, remove
command     the words, several hosts at once, the tables
"""
