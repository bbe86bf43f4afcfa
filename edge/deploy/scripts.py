"""Shell scripts of every step, which --dry-run prints. Those that change a release's folder run as root."""

import re

from edge.deploy import layout
from edge.deploy.release import SHIPPED, Release
from edge.deploy.shell import Script, script

WHEELS = "wheels"  # folder below the uploads
# dpkg may be locked by the upgrades of a first boot.
APT = script(
    "DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o APT::Keep-Downloaded-Packages=false"
)
INSTALLED = script("dpkg-query -W -f '${Package}\\n' | sort")
SYSTEMCTL = script("systemctl --quiet")


def folder_of(name: str) -> str:
    """Folder of a release."""
    return f"{layout.RELEASES}/{name}"


def share_of(name: str) -> str:
    """Folder of what a release holds beside its virtual environment."""
    return f"{folder_of(name)}/{layout.SHARE}"


def make_uploads(uploads: str) -> Script:
    """Make an empty folder for uploads."""
    return script("rm -rf {uploads}\nmkdir -p {uploads}\n", uploads=uploads)


def remove_uploads(uploads: str) -> Script:
    """Remove the folder for uploads."""
    return script("rm -rf {uploads}\n", uploads=uploads)


def unpack(folder: str) -> Script:
    """Unpack the tar archive on standard input into a folder.

    Not scp: before OpenSSH 9 the remote shell expands its destination, since then it does not, so that no spelling of a
    folder with a space or a dollar sign suits both.
    """
    return script("mkdir -p {folder}\ntar --extract --no-same-owner --file - --directory {folder}\n", folder=folder)


def read_record(name: str) -> Script:
    """Print the record of a release, or nothing if there is none."""
    return script("cat {record} 2> /dev/null || true\n", record=f"{folder_of(name)}/{layout.RECORD}")


def install_packages(packages: list[str], uploads: str) -> Script:
    """Install missing packages with apt, and note every package that came with them, so that --remove can purge it."""
    return script(
        """\
mkdir -p {home}
{installed} > {before}
{apt} update
{apt} install --yes --no-install-recommends {packages} > /dev/null
{installed} | comm -13 {before} - >> {noted}
""",
        home=layout.HOME,
        installed=INSTALLED,
        before=f"{uploads}/before",
        apt=APT,
        packages=packages,
        noted=layout.PACKAGES,
    )


def make_environment(release: Release, copied: str | None) -> Script:
    """Make the virtual environment of a release.

    It consists of hard links to the files of release `copied` if there is one and the Python is the same. A command in
    bin begins with the path of its Python, which names the copied environment until it is rewritten.
    """
    new = folder_of(release.name)
    make = script("python3 -m venv {new}", new=new)
    if copied is not None:
        old = folder_of(copied)
        make = script(
            """\
old_python=$({old}/bin/python -V) || old_python=none
if [ "$old_python" = "$(python3 -V)" ]; then
    cp -al {old} {new}
    rm -rf {share} {new}/model
    grep -rlIFZ -e {old_start} {new}/bin {new}/pyvenv.cfg | xargs -0 -r sed -i -e {edit}
else
    {make}
fi""",
            old=old,
            new=new,
            share=share_of(release.name),
            old_start=f"{old}/",
            edit=sed_replacement(f"{old}/", f"{new}/"),
            make=make,
        )
    return script(
        """\
umask 022
[ ! -e {new} ]
mkdir -p {releases}
{make}
""",
        new=new,
        releases=layout.RELEASES,
        make=make,
    )


def install_wheel(release: Release, uploads: str, wheel: str, brought: bool, same_requirements: bool) -> Script:
    """Install the program and, unless the requirements are those of the copied environment, its requirements.

    They come from the uploads if they were `brought` along, else from the index that the machine's pip uses. pip gets
    relative paths: it reads a requirement with a semicolon as one with a marker.
    """
    pip = script(
        "TMPDIR=/var/tmp {python} -I -m pip --disable-pip-version-check install --quiet --no-cache-dir",
        python=f"{folder_of(release.name)}/bin/python",
    )
    source = script("--no-index --find-links {wheels}", wheels=WHEELS) if brought else script("--only-binary :all:")
    install = script("{pip} {source} {wheel}\n", pip=pip, source=source, wheel=f"./{wheel}[{','.join(release.extras)}]")
    # The second call is for a program of the same version with other content.
    return script(
        """\
umask 022
cd {uploads}
{install}{pip} --no-index --no-deps --force-reinstall {wheel}
""",
        uploads=uploads,
        install=script("") if same_requirements else install,
        pip=pip,
        wheel=f"./{wheel}",
    )


def complete(release: Release, uploads: str, model_uploaded: bool) -> Script:
    """Add the model, the unit, the configuration and last the record, which marks a release as complete.

    The model is taken from the uploads, from the release before, or is the one in the program. The program tests all of
    it on its demo clip.
    """
    new, share, name = folder_of(release.name), share_of(release.name), release.model_name
    if name is None:
        put = script("cd {new}; ln -s lib/python3*/site-packages/{shipped} model", new=new, shipped=SHIPPED)
    else:
        put = script(
            "install -m 644 {source} {share}/{name}\nln -s {target} {new}/model",
            source=f"{uploads}/{name}" if model_uploaded else f"{share_of(release.before or '-')}/{name}",
            share=share,
            name=name,
            target=f"{layout.SHARE}/{name}",
            new=new,
        )
    return script(
        """\
umask 022
mkdir -p {share}
{put}
install -m 644 {uploads}/unit {uploads}/config {share}/
{new}/bin/edge-listen --config {share}/config --model {new}/model --demo --check > /dev/null
install -m 644 {uploads}/release.json {record}
sync
""",
        share=share,
        put=put,
        uploads=uploads,
        new=new,
        record=f"{new}/{layout.RECORD}",
    )


def abandon(name: str) -> Script:
    """Remove a release that was not completed.

    A remote step goes on when ssh ends here, because its shell gets no signal: kill it first, and then what it started
    at the same moment. The pattern, whose last letter stands in brackets, and the folder in two parts keep pkill from
    matching this very script.
    """
    folder = folder_of(name)
    return script(
        """\
for attempt in 1 2 3 4 5; do
    pkill -KILL -f {pattern} || break
    sleep 0.1
done
last={last}
rm -rf {start}"$last"
""",
        pattern=f"{_escaped_regex(folder[:-1])}[{folder[-1]}]",
        last=folder[-1],
        start=folder[:-1],
    )


def switch(name: str, restart: Script) -> Script:
    """Make a release the current one, and let the service take it up with RESTART or RELOAD."""
    return script(
        """\
install -m 644 {share}/unit {unit}
ln -sfn {target} {home}/.current
mv -T {home}/.current {current}
{systemctl} daemon-reload
{systemctl} enable {service}
{restart}
""",
        share=share_of(name),
        unit=layout.UNIT,
        target=f"releases/{name}",
        home=layout.HOME,
        current=layout.CURRENT,
        systemctl=SYSTEMCTL,
        service=layout.SERVICE,
        restart=restart,
    )


def put_config(name: str, before: str | None) -> Script:
    """Install the configuration of a release; the installed one is kept in the release before."""
    install = script("install -m 644 {share}/config {config}\n", share=share_of(name), config=layout.CONFIG)
    if before is None:
        return install
    kept = f"{share_of(before)}/config"
    return script(
        "[ ! -e {config} ] || cp {config} {kept}\n{install}", config=layout.CONFIG, kept=kept, install=install
    )


def restore_config(name: str, abandoned: str) -> Script:
    """Restore what `put_config` kept, unless the abandoned release had the same configuration.

    In that case edits made by hand since then stay; otherwise they are kept in the abandoned release.
    """
    return script(
        """\
if ! cmp -s {restored} {abandoned}; then
    cp {config} {abandoned}
    install -m 644 {restored} {config}
fi
""",
        restored=f"{share_of(name)}/config",
        abandoned=f"{share_of(abandoned)}/config",
        config=layout.CONFIG,
    )


RESET_FAILED = script(
    "{systemctl} reset-failed {service} 2> /dev/null || true", systemctl=SYSTEMCTL, service=layout.SERVICE
)
RESTART = script(
    "{reset}\n{systemctl} restart --no-block {service}", reset=RESET_FAILED, systemctl=SYSTEMCTL, service=layout.SERVICE
)
# Only the model's file is read again; listening goes on.
RELOAD = script("{systemctl} reload {service}", systemctl=SYSTEMCTL, service=layout.SERVICE)


def prune(kept: list[str]) -> Script:
    """Remove every other release."""
    return script(
        "find {releases} -mindepth 1 -maxdepth 1 {kept} -exec rm -rf {} +\n",
        releases=layout.RELEASES,
        kept=[word for name in kept for word in ("!", "-name", name)],
    )


def remove(uploads: str) -> Script:
    """Remove the service, everything that it wrote, and the packages from apt that nothing else needs."""
    return script(
        """\
{systemctl} disable --now {service} 2> /dev/null || true
if [ -s {noted} ]; then
    own=$(mktemp)
    sort -u {noted} > "$own"
    would_go=$(apt-get -s purge $(cat "$own") | sed -n 's/^\\(Purg\\|Remv\\) \\([^ :]*\\).*/\\2/p' | sort -u)
    if printf '%s\\n' "$would_go" | comm -23 - "$own" | grep -q .; then
        echo "packages that apt installed stay, because something else needs them now:" $(cat "$own")
    else
        {apt} purge --yes $(cat "$own") > /dev/null
    fi
    rm -f "$own"
fi
rm -rf {everything}
rm -rf {uploads}
{systemctl} daemon-reload
{reset}
""",
        systemctl=SYSTEMCTL,
        service=layout.SERVICE,
        noted=layout.PACKAGES,
        apt=APT,
        everything=[layout.HOME, layout.UNIT, f"{layout.UNIT}.d", layout.CONFIG, layout.SECRETS, *layout.STATE],
        uploads=uploads,
        reset=RESET_FAILED,
    )


def benchmark(report: str) -> Script:
    """Print the report of edge-benchmark, measured beside the running service."""
    return script(
        """\
[ -x {command} ] || { echo "this release has no edge-benchmark, which came with version 0.2" >&2; exit 1; }
{command} --json {report} > /dev/null
cat {report}
""",
        command=f"{layout.CURRENT}/bin/edge-benchmark",
        report=report,
    )


def sed_replacement(old: str, new: str) -> str:
    """Command of sed that replaces every `old`, taken literally."""
    pattern, replacement = re.sub(r"[][\\.*^$|]", r"\\\g<0>", old), re.sub(r"[\\&|]", r"\\\g<0>", new)
    return f"s|{pattern}|{replacement}|g"


def _escaped_regex(text: str) -> str:
    """POSIX extended regular expression that matches the text literally."""
    return re.sub(r"[][\\.*^$+?(){}|]", r"\\\g<0>", text)
