"""Paths on the machine that listens; edge/data/edge-listen.service repeats some of them.

/opt/edge-listen/releases/NAME/    a virtual environment; beside its bin and lib:
    share/edge-listen/             release.json, and the unit, configuration and model of the release
    model                          link to that model
/opt/edge-listen/current           link to the release that runs
/opt/edge-listen/packages          packages that apt installed for it, one per line
"""

SERVICE = "edge-listen"
HOME = "/opt/edge-listen"
RELEASES = f"{HOME}/releases"
CURRENT = f"{HOME}/current"
PACKAGES = f"{HOME}/packages"
MODEL = f"{CURRENT}/model"  # the configuration names this link, the record of the release the file behind it
SHARE = "share/edge-listen"  # in a release
RECORD = f"{SHARE}/release.json"
UNIT = f"/etc/systemd/system/{SERVICE}.service"
CONFIG = f"/etc/{SERVICE}.toml"
SECRETS = f"/etc/{SERVICE}.env"
STATUS = f"/run/{SERVICE}/status.json"
# Created by systemd for a service with a DynamicUser: the folder, and its link.
STATE = (f"/var/lib/{SERVICE}", f"/var/lib/private/{SERVICE}")
