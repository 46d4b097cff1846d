"""Campaigns in TOML: what a file says becomes the campaign, and every mistake is told with its place."""

import re

import pytest

from fuzzer.campaign.file import campaign_of, read_campaign
from fuzzer.campaign.spec import FORMAT, Budget, CampaignSpec, make_pair
from fuzzer.errors import CampaignError, FuzzerError
from simcore.errors import SimcoreError
from simcore.kernel_files import find_kernel
from simcore.world import World

DEFAULT_WORLD = World(pages=5)
DEFAULT_SEED = 77
HEAD = f'format = "{FORMAT}"\nkernels = ["linux-4.5"]\n'
FULL = f"""
format = "{FORMAT}"
kernels = ["linux-4.0-rc7-mm1+dirty-on-swapin", "linux-6.1"]
reference = "linux-4.5"
worlds = ["pages=2", "pages=3 without=ksm"]
without = [[], ["memcg", "thp"]]
oracles = ["lost-store"]
seed = 5
priority = 3
length = 50
checks = false
canary_minutes = 2.5

[engines]
random = 2
swarm = 3

[budget]
seconds = 3600
ops = 1_000_000_000
failures = 5
plateau = 1_000_000

[units]
seeds = 50
seed_ops = 10_000
"""


def campaign(text: str) -> CampaignSpec:
    """The campaign of a file's text."""
    return campaign_of(read_campaign(text, "mine.toml"), find_kernel, DEFAULT_WORLD, lambda: DEFAULT_SEED)


def test_every_setting_of_a_file_is_in_the_campaign() -> None:
    reference = find_kernel("linux-4.5")
    assert campaign(FULL) == CampaignSpec(
        kernels=tuple(
            make_pair(find_kernel(name), reference) for name in ("linux-4.0-rc7-mm1+dirty-on-swapin", "linux-6.1")
        ),
        worlds=(World(pages=2), World(pages=3).without(["ksm"])),
        seed=5,
        without=((), ("memcg", "thp")),
        engines=(("random", 2), ("swarm", 3)),
        oracles=("lost-store",),
        budget=Budget(3600.0, 10**9, 5, 10**6),
        priority=3,
        length=50,
        checks=False,
        seed_ops=10_000,
        seeds_per_unit=50,
        canary_minutes=2.5,
    )


def test_a_file_needs_no_more_than_format_and_kernels() -> None:
    spec = campaign(HEAD)
    assert spec == CampaignSpec((make_pair(find_kernel("linux-4.5")),), (DEFAULT_WORLD,), DEFAULT_SEED)
    assert spec.budget == Budget()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("format = ", "not TOML: Invalid value (at end of document)"),
        (HEAD + "seed = 1\nseed = 2\n", "not TOML: Cannot overwrite a value (at line 4, column 9)"),
        (HEAD + "nonsense\n", "(at line 3, column 9)"),
        (HEAD + "sede = 1\n", "Object contains unknown field `sede`"),
        (HEAD + "[budget]\nhours = 1\n", "Object contains unknown field `hours` - at `$.budget`"),
        (HEAD + "[units]\nseed = 1\n", "Object contains unknown field `seed` - at `$.units`"),
        (f'format = "{FORMAT}"\n', "Object missing required field `kernels`"),
        ('kernels = ["linux-4.5"]\n', "format=None; this release reads format ="),
        (HEAD + 'seed = "1"\n', "Expected `int | null`, got `str` - at `$.seed`"),
        (HEAD + "priority = 1.5\n", "Expected `int`, got `float` - at `$.priority`"),
        (HEAD + "priority = true\n", "Expected `int`, got `bool` - at `$.priority`"),
        (HEAD + 'checks = "no"\n', "Expected `bool`, got `str` - at `$.checks`"),
        (HEAD + "worlds = [1]\n", "Expected `str`, got `int` - at `$.worlds[0]`"),
        (HEAD + 'without = ["ksm"]\n', "Expected `array`, got `str` - at `$.without[0]`"),
        (HEAD + 'engines = ["swarm"]\n', "Expected `object`, got `array` - at `$.engines`"),
        (HEAD + '[engines]\nswarm = "1"\n', "Expected `int`, got `str` - at `$.engines[...]`"),
        (HEAD + "[budget]\nops = 1.5\n", "Expected `int | null`, got `float` - at `$.budget.ops`"),
        (HEAD.replace(FORMAT, "mmfuzz campaign 2"), "format='mmfuzz campaign 2'; this release reads format ="),
    ],
)
def test_a_file_with_a_mistake_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(CampaignError, match=re.escape(said)) as refused:
        read_campaign(text, "mine.toml")
    assert str(refused.value).startswith("mine.toml: ")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[engines]\nguided = 1", "unknown engine 'guided'"),
        ("[engines]\nswarm = 0", "engines.swarm=0; it can be 1 to 100"),
        ("engines = {}", "engines is empty"),
        ("without = []", "without is empty"),
        ("worlds = []", "worlds is empty"),
        ("oracles = []", "oracles is empty"),
        ('reference = "linux-0.9"', "unknown kernel 'linux-0.9'"),
        ('reference = "linux-4.5"', "the reference linux-4.5 has the same rows"),
        ('worlds = ["pages=2 without=steam"]', "unknown feature 'steam'"),
        ('worlds = ["page=2"]', "unknown world field 'page'; did you mean 'pages'"),
        ('worlds = ["pages=-1"]', "pages='-1'; it can be 1 to"),
        ('without = [["steam"]]', "unknown feature 'steam'"),
        ('oracles = ["lost-stores"]', "unknown oracle 'lost-stores'; did you mean 'lost-store'"),
        ("[budget]\nops = -1", "budget.ops=-1; it can be 0 to"),
        ("[budget]\nseconds = -1", r"budget.seconds=-1"),
        ("[budget]\nseconds = nan", "budget.seconds=nan"),
        ("seed = 9223372036854775808", "seed=9223372036854775808; it can be 0 to 9223372036854775807"),
        ("seed = -1", "seed=-1; it can be 0 to"),
        ("[units]\nseeds = 0", "units.seeds=0; it can be 1 to"),
        ("length = 0", "length=0; it can be 1 to"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name_and_value(line: str, said: str) -> None:
    with pytest.raises((FuzzerError, SimcoreError), match=re.escape(said)):
        campaign(f"{HEAD}{line}\n")


@pytest.mark.parametrize(
    ("kernels", "said"),
    [
        ("[]", "kernels is empty"),
        ('["linux-4.6-rc99"]', "unknown kernel 'linux-4.6-rc99'"),
        ('["linux-4.5", "linux-4.5"]', "two of the kernels have the same rows"),
    ],
)
def test_kernels_that_cannot_be_are_refused(kernels: str, said: str) -> None:
    with pytest.raises((FuzzerError, SimcoreError), match=re.escape(said)):
        campaign(f'format = "{FORMAT}"\nkernels = {kernels}\n')


def test_too_many_cells_are_refused() -> None:
    with pytest.raises(CampaignError, match="make 1025 cells; 1024 at most"):
        campaign(HEAD + f"worlds = {['pages=2'] * 1025}\n")
