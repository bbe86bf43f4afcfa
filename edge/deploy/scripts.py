"""The shell scripts of every step, which --dry-run prints as they are. Those of a release's folder run as root."""

import shlex

from edge.deploy import layout
from edge.deploy.release import Release

WHEELS = "wheels"  # the folder among the uploads
# dpkg may be busy with the upgrades of a first boot.
APT = "DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o APT::Keep-Downloaded-Packages=false"
INSTALLED = "dpkg-query -W -f '${Package}\\n' | sort"
CONTROL = "systemctl --quiet"


def folder_of(name: str) -> str:
    """Where a release is."""
    return f"{layout.RELEASES}/{name}"


def share_of(name: str) -> str:
    """Where it keeps what isn't of the virtual environment."""
    return f"{folder_of(name)}/{layout.SHARE}"


def install_packages(packages: list[str], folder: str) -> str:
    """Let apt install what is missing, and note all that came with it, for the day when it shall go again."""
    return f"""\
mkdir -p {layout.HOME}
{INSTALLED} > {folder}/before
{APT} update
{APT} install --yes --no-install-recommends {" ".join(packages)} > /dev/null
{INSTALLED} | comm -13 {folder}/before - >> {layout.PACKAGES}
"""


def make_environment(release: Release, copied: str | None) -> str:
    """Make the virtual environment of a release; as one of hard links to the files of another, if that has its Python.

    A command in bin begins with the path of its Python, which is the one of the copied environment until it is mended.
    """
    new = folder_of(release.name)
    fresh = f"python3 -m venv {new}"
    if copied is None:
        make = fresh
    else:
        old = folder_of(copied)
        make = f"""\
if [ "$({old}/bin/python -V)" = "$(python3 -V)" ]; then
    cp -al {old} {new}
    rm -rf {new}/{layout.SHARE} {new}/model
    grep -rlI {old}/ {new}/bin {new}/pyvenv.cfg | xargs -r sed -i 's|{old}/|{new}/|g'
else
    {fresh}
fi"""
    return f"""\
umask 022
[ ! -e {new} ]
mkdir -p {layout.RELEASES}
{make}
"""


def install_wheel(release: Release, uploads: str, wheel: str, brought: bool, needs_same: bool) -> str:
    """Install the program and, unless it needs just what the release before did, what it needs.

    That comes from among the uploads if it was `brought`, else from where the machine's pip gets its own.
    """
    new, wheel = folder_of(release.name), f"{uploads}/{wheel}"
    pip = f"TMPDIR=/var/tmp {new}/bin/python -m pip --disable-pip-version-check install --quiet --no-cache-dir"
    source = f"--no-index --find-links {shlex.quote(f'{uploads}/{WHEELS}')}" if brought else "--only-binary :all:"
    with_extras = shlex.quote(f"{wheel}[{','.join(release.extras)}]")
    # The second call is for a program of the same version with other content.
    return f"""\
umask 022
{"" if needs_same else f"{pip} {source} {with_extras}"}
{pip} --no-index --no-deps --force-reinstall {shlex.quote(wheel)}
"""


def complete(release: Release, uploads: str, model: bool) -> str:
    """Put the model, the unit, the configuration and at last the record into a release, which is whole from then on.

    `model` says whether it is among the uploads; else it is that of the release before, or the program's own. The
    program tries all of it on its demo clip.
    """
    new, name = folder_of(release.name), release.model_name
    if name is None:
        put = f"cd {new}; ln -s lib/python3*/site-packages/edge/data/model.tflite model"
    else:
        file = shlex.quote(f"{layout.SHARE}/{name}")
        source = f"{uploads}/{shlex.quote(name)}" if model else f"{folder_of(release.before or '')}/{file}"
        put = f"install -m 644 {source} {new}/{file}\nln -s {file} {new}/model"
    return f"""\
umask 022
mkdir -p {new}/{layout.SHARE}
{put}
install -m 644 {uploads}/unit {uploads}/config {new}/{layout.SHARE}/
{new}/bin/edge-listen --config {new}/{layout.SHARE}/config --model {new}/model --demo --check > /dev/null
install -m 644 {uploads}/release.json {new}/{layout.RECORD}
sync
"""


def abandon(name: str) -> str:
    """Leave nothing of a release that didn't become whole.

    A step that was interrupted here goes on there, for its shell isn't told that ssh has ended: it is killed first. The
    brackets, which a pattern and a glob take alike, keep this script from being one of those that name the folder.
    """
    folder = f"{folder_of(name)[:-1]}[{name[-1]}]"
    return f"""\
pkill -KILL -f {shlex.quote(folder)} || true
rm -rf {folder}
"""


def switch(name: str, tell: str) -> str:
    """Let a release be the one that runs, from its next start on or, with `tell`, from now on."""
    return f"""\
install -m 644 {folder_of(name)}/{layout.SHARE}/unit {layout.UNIT}
ln -sfn releases/{name} {layout.HOME}/.current
mv -T {layout.HOME}/.current {layout.CURRENT}
{CONTROL} daemon-reload
{CONTROL} enable {layout.SERVICE}
{tell}
"""


def put_config(name: str, before: str | None) -> str:
    """Put the configuration of a release in its place; the one that is there is kept in the release before."""
    keep = f"[ ! -e {layout.CONFIG} ] || cp {layout.CONFIG} {share_of(before)}/config\n" if before else ""
    return f"{keep}install -m 644 {share_of(name)}/config {layout.CONFIG}\n"


def restore_config(name: str, abandoned: str) -> str:
    """Put back what `put_config` has kept, unless the abandoned release has changed nothing of it.

    Then what was written into it by hand since stays; else that is kept in the abandoned release.
    """
    return f"""\
if ! cmp -s {share_of(name)}/config {share_of(abandoned)}/config; then
    cp {layout.CONFIG} {share_of(abandoned)}/config
    install -m 644 {share_of(name)}/config {layout.CONFIG}
fi
"""


RESTART = f"{CONTROL} reset-failed {layout.SERVICE} 2> /dev/null || true\n{CONTROL} restart --no-block {layout.SERVICE}"
RELOAD = f"{CONTROL} reload {layout.SERVICE}"  # of the model, while it hears on


def stop() -> str:
    """End the service, now and at boot."""
    return f"{CONTROL} disable --now {layout.SERVICE} 2> /dev/null || true\n"


def prune(kept: list[str]) -> str:
    """Remove every other release."""
    names = " ".join(f"! -name {name}" for name in kept)
    return f"find {layout.RELEASES} -mindepth 1 -maxdepth 1 {names} -exec rm -rf {{}} +\n"


def remove(uploads: str) -> str:
    """Leave nothing behind: no service, nothing that it wrote, nothing of apt's that nobody else needs."""
    own = "/var/tmp/edge-listen-packages"
    would_go = "sed -n 's/^\\(Purg\\|Remv\\) \\([^ :]*\\).*/\\2/p' | sort -u"
    return f"""\
{stop()}if [ -s {layout.PACKAGES} ]; then
    sort -u {layout.PACKAGES} > {own}
    if apt-get -s purge $(cat {own}) | {would_go} | comm -23 - {own} | grep -q .; then
        echo "what apt has installed stays, for something else needs it now:" $(cat {own})
    else
        {APT} purge --yes $(cat {own}) > /dev/null
    fi
    rm -f {own}
fi
rm -rf {layout.HOME} {layout.UNIT} {layout.UNIT}.d {layout.CONFIG} {layout.SECRETS} {" ".join(layout.STATE)}
rm -rf {shlex.quote(uploads)}
{CONTROL} daemon-reload
{CONTROL} reset-failed {layout.SERVICE} 2> /dev/null || true
"""


def benchmark(report: str) -> str:
    """Print the report of benchmarks.latency, measured beside the service."""
    return f"{layout.CURRENT}/bin/python -m benchmarks.latency --alone --json {report} > /dev/null\ncat {report}\n"
