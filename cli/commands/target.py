"""`mmfuzz target`: the real kernels on which traces can run, and where they come from."""

from pathlib import Path

import click

from cli.commands.target_conform import command as target_conform
from cli.commands.target_fuzz import command as target_fuzz
from cli.commands.target_test import command as target_test
from cli.options import screen_option
from cli.output import Screen
from cli.stopping import stopped_at_once
from workers.targets import debian, images
from workers.targets.images import BrokenImage, KernelImage


@click.group(name="target", short_help="Get real kernels to run traces on.")
def command() -> None:
    """Keep real kernels, to run traces on them in QEMU.

    They are kept in a cache of yours, and nothing is installed: $MMFUZZ_CACHE, else mmfuzz in $XDG_CACHE_HOME or
    ~/.cache.
    """


@command.command(name="add")
@click.argument("name")
@click.argument("image", type=click.Path(path_type=Path))
@click.option(
    "--modules",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The kernel's modules: lib/modules/RELEASE, or the INSTALL_MOD_PATH of `make modules_install`. Not needed"
    " when swap device and serial line are built in.",
)
@screen_option
def add(name: str, image: Path, modules: Path | None, screen: Screen) -> None:
    """Copy a kernel of your own into the cache as NAME.

    IMAGE is its bzImage for x86-64: arch/x86/boot/bzImage of a build, or a distribution's /boot/vmlinuz-*.
    """
    with stopped_at_once():
        added = images.add(name, image, modules)
    screen.document(image_document(added))
    screen.say(f"{name}: added, {describe_image(added)}")


@command.command(name="fetch", short_help="Download a kernel that Debian has built.")
@click.argument("spec")
@click.option("--name", metavar="NAME", help="Keep it as NAME. Default: debian-6.1 and so on.")
@screen_option
def fetch(spec: str, name: str | None, screen: Screen) -> None:
    """Download a kernel that a distribution has built, without installing it.

    SPEC is debian:6.1, debian:6.12 or another version that Debian has, whole or its beginning, or debian:newest: of
    those the newest cloud image. apt downloads and checks it. Does nothing when that one is there already.
    """
    with stopped_at_once():
        fetched = debian.fetch(spec, name, say=screen.note)
    screen.document(image_document(fetched.image) | {"changed": fetched.changed, "before": fetched.before})
    if not fetched.changed:
        screen.say(f"{fetched.image.name}: nothing to do, it is the newest: {describe_image(fetched.image)}")
    elif fetched.before is None:
        screen.say(f"{fetched.image.name}: fetched, {describe_image(fetched.image)}")
    else:
        screen.say(f"{fetched.image.name}: {describe_image(fetched.image)} in place of {fetched.before}")


@command.command(name="list")
@screen_option
def list_targets(screen: Screen) -> None:
    """List the kernels that are kept."""
    found = images.list_images()
    screen.document([image_document(image) for image in found])
    if not found:
        screen.say("no targets yet; `mmfuzz target fetch debian:6.1` gets one, `mmfuzz target add` takes one of yours")
    rows = [_row(image) for image in found]
    screen.table(("name", "release", "modules", "MB", "added", "from"), rows, right=("MB",))


@command.command(name="show")
@click.argument("name")
@screen_option
def show(name: str, screen: Screen) -> None:
    """Show what is known of the kernel NAME, after a look at its digest."""
    image = images.load(name)
    screen.document(image_document(image))
    for title, value in image_document(image).items():
        screen.say(f"{title:<11}{'none: all that it has is built in' if value is None else value}")


@command.command(name="remove")
@click.argument("name")
@screen_option
def remove(name: str, screen: Screen) -> None:
    """Take the kernel NAME out of the cache, with its modules."""
    images.remove(name)
    screen.document({"removed": name})
    screen.say(f"{name}: removed")


command.add_command(target_conform)
command.add_command(target_fuzz)
command.add_command(target_test)


def image_document(image: KernelImage | BrokenImage) -> dict[str, object]:
    """A kernel that is kept, as --json gives it."""
    if isinstance(image, BrokenImage):
        return {"name": image.name, "broken": image.reason}
    return {
        "name": image.name,
        "release": image.release,
        "kernel": str(image.kernel),
        "modules": str(image.modules) if image.modules else None,
        "sha256": image.sha256,
        "size_bytes": image.size_bytes,
        "source": image.source,
        "added": image.added.isoformat(),
    }


def describe_image(image: KernelImage) -> str:
    """A kernel in a few words."""
    return f"{image.release} {'with' if image.modules else 'without'} modules, from {image.source}"


def _row(image: KernelImage | BrokenImage) -> tuple[object, ...]:
    if isinstance(image, BrokenImage):
        return (image.name, "broken", "", "", "", image.reason)
    mb = f"{image.size_bytes / 1e6:.1f}"
    return (image.name, image.release, "yes" if image.modules else "no", mb, f"{image.added:%Y-%m-%d}", image.source)
