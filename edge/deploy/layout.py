"""Where everything is on the machine that listens; edge/data/edge-listen.service says some of it, too.

/opt/edge-listen/releases/NAME/    a virtual environment; beside its bin and lib:
    share/edge-listen/             release.json, the unit, the configuration and the model it was deployed with
    model                          a link to that model
/opt/edge-listen/current           a link to the release that runs
/opt/edge-listen/packages          what apt has installed for it, a name a line
"""

SERVICE = "edge-listen"
HOME = "/opt/edge-listen"
RELEASES = f"{HOME}/releases"
CURRENT = f"{HOME}/current"
PACKAGES = f"{HOME}/packages"
MODEL = f"{CURRENT}/model"  # what the configuration names: which file it is, the release says
SHARE = "share/edge-listen"  # in a release
RECORD = f"{SHARE}/release.json"
UNIT = f"/etc/systemd/system/{SERVICE}.service"
CONFIG = f"/etc/{SERVICE}.toml"
SECRETS = f"/etc/{SERVICE}.env"
STATUS = f"/run/{SERVICE}/status.json"
# What systemd keeps for a service with a DynamicUser: the folders, and the links to them.
STATE = (f"/var/lib/{SERVICE}", f"/var/lib/private/{SERVICE}")
