"""Settings: defaults equal the file we ship, and every mistake is one sentence that says what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from bot.config import Config, Tier, load
from bot.order import Member
from generation.errors import ConfigError

ROOT = Path(__file__).parents[2]
TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4OQ.GabcDE.abcdefghijklmnopqrstuvwxyz0123"


def write(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return path


def test_the_shipped_file_shows_every_setting_with_its_default():
    shipped = yaml.safe_load((ROOT / "config.yaml").read_text())
    defaults = Config().model_dump(mode="json", exclude={"api_url", "token", "client_secret"})
    assert shipped["limits"].pop("booster")  # two example tiers beside the default one
    assert shipped["limits"].pop("newcomer")
    for tier in shipped["limits"].values():
        assert Tier(**tier) == Tier()
    shipped.pop("limits")
    defaults.pop("limits")
    assert shipped == defaults


def test_every_shipped_setting_has_a_comment():
    for line in (ROOT / "config.yaml").read_text().splitlines():
        key, colon, value = line.partition(":")
        if colon and value.split("#")[0].strip() and not line.startswith((" " * 4, "#")):
            assert "#" in line or "booster" in key, line


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("modle: x", "no setting “modle”; did you mean “model”"),
        ("engine: {devcie: cpu}", "“engine.devcie”; did you mean “device”"),
        ("limits: {member: {brust: 3}}", "“limits.member.brust”; did you mean “burst”"),
        ("engine: {device: gpu}", "“engine.device” is 'gpu', but it must be auto, cpu, cuda or"),
        ("engine: {threads: many}", "“engine.threads” is 'many', but it must be a valid integer"),
        ("dream: {count: 9}", "“dream.count” is 9, but it must be less than or equal to 4"),
        ("dream: {sampler: foo}", "must be one of dpmpp_2m"),
        ("files: {format: gif}", "must be 'webp', 'png' or 'jpeg'"),
        ("dream: {styles: {x: no placeholder}}", "{prompt} exactly once; “x” has not"),
        ("limits: {vip: {burst: 1}}", "must contain the tier “member”"),
        ("limits: {member: {account_days: 3}}", "to the tier “newcomer” alone"),
        ("limits: {member: {}, newcomer: {roles: [New]}}", "must give “newcomer” no roles"),
        ("costs: {ink: 2}", "“costs” is {'ink': 2}, but it must name models only, and there is no model “ink”"),
        ("models: {ink: x}\ncosts: {ink: 0}", "“costs.ink” is 0, but it must be greater than 0"),
        ("budgets: {server: {dayly: 3}}", "“budgets.server.dayly”; did you mean “daily”"),
        ("probing: {refusals: -1}", "must be greater than or equal to 0"),
        ("engine: 3", "“engine” is 3, but it must be a list of “key: value” lines"),
        (f"model: {TOKEN}", "looks like a bot token"),
        (f"token: {TOKEN}", "looks like a bot token"),
        ("token: anything", "“token” does not belong into the file"),
        ("client_secret: anything", "“client_secret” does not belong into the file"),
        ("page: {public_url: art.example.org}", "must be an address without a path"),
        ("page: {public_url: 'https://art.example.org/bot'}", "must be an address without a path"),
        ("page: {public_url: 'https://me@art.example.org'}", "must be an address without a path"),
        ("page: {public_url: 'https://art.example.org:port'}", "must be an address without a path"),
        ("page: {public_url: 'http://art.example.org'}", "must begin with https:// unless it is on this machine"),
        ("page: {enabled: true, host: 0.0.0.0}", "must have a public_url where host is not on this machine"),
        ("a: [", "line 1: this is not valid YAML"),
        ("model: 2020-13-45", "this is not valid YAML"),
        ("[" * 5000, "this is not valid YAML"),
        ("- 1\n- 2", "must be a list of “key: value” lines"),
    ],
)
def test_every_mistake_is_one_sentence(tmp_path, text, sentence):
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        load(path, {})
    said = refused.value.sentence
    assert sentence in said
    assert said.startswith(str(path))
    assert "\n" not in said
    assert TOKEN not in said


def test_a_named_file_must_exist_and_an_unnamed_one_need_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load(None, {}) == Config()
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "missing.yaml", {})
    with pytest.raises(ConfigError, match="cannot be read"):
        load(None, {"ATELIER_CONFIG": str(tmp_path / "missing.yaml")})


def test_the_address_of_the_page_is_written_as_browsers_write_it():
    for given, known in (
        ("https://Art.Example.org/", "https://art.example.org"),
        ("https://art.example.org:443", "https://art.example.org"),
        ("https://art.example.org:8443", "https://art.example.org:8443"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://[::1]:8090", "http://[::1]:8090"),
    ):
        assert Config(page={"public_url": given}).page.public_url == known


def test_the_environment(tmp_path):
    secret = tmp_path / "token"
    secret.write_text(f"{TOKEN}\n")
    environment = {
        "DISCORD_TOKEN_FILE": str(secret),
        "DISCORD_API_URL": "http://127.0.0.1:8080/api/v10/",
        "ATELIER_DATA_DIR": str(tmp_path / "d"),
        "ATELIER_DATABASE_URL": "postgresql+asyncpg://x/y",
    }
    environment["DISCORD_CLIENT_SECRET"] = " a-client-secret "
    config = load(write(tmp_path, ""), environment)
    assert config.client_secret.get_secret_value() == "a-client-secret"
    assert "a-client-secret" not in repr(config) + config.model_dump_json()
    assert config.token.get_secret_value() == TOKEN
    assert TOKEN not in repr(config)
    assert TOKEN not in config.model_dump_json()
    assert config.api_url == "http://127.0.0.1:8080/api/v10"
    assert config.data_dir == tmp_path / "d"
    assert config.database == "postgresql+asyncpg://x/y"
    assert load(write(tmp_path, ""), {"DISCORD_TOKEN": "a.b.c"}).token.get_secret_value() == "a.b.c"
    with pytest.raises(ConfigError, match="DISCORD_TOKEN_FILE cannot be read"):
        load(write(tmp_path, ""), {"DISCORD_TOKEN_FILE": str(tmp_path / "none")})


def test_a_dotenv_file_is_read_and_the_real_environment_wins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("DISCORD_TOKEN=from-file\n")
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    assert load().token.get_secret_value() == "from-file"
    monkeypatch.setenv("DISCORD_TOKEN", "from-environment")
    assert load().token.get_secret_value() == "from-environment"


def test_settings_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        Config().model = "other"  # type: ignore[misc]


def test_the_best_tier_of_a_members_roles_counts():
    config = Config(limits={"member": {}, "booster": {"roles": ["Boosters", 42], "per_hour": 500, "burst": 50}})
    plain = Member(id=1, guild_id=2)
    assert config.tier_of(plain, 0.0).allowance.burst == 20
    for member in (replace(plain, role_names=frozenset({"Boosters"})), replace(plain, role_ids=frozenset({42}))):
        assert config.tier_of(member, 0.0).allowance.burst == 50
        assert config.tier_of(member, 0.0).name == "booster"


def test_a_token_file_that_is_no_text_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff\xfe\xdf")
    with pytest.raises(ConfigError, match="DISCORD_CLIENT_SECRET_FILE is no text; put nothing but the application's"):
        load(write(tmp_path, ""), {"DISCORD_CLIENT_SECRET_FILE": str(tmp_path / "token")})
    with pytest.raises(ConfigError, match="DISCORD_TOKEN_FILE is no text"):
        load(write(tmp_path, ""), {"DISCORD_TOKEN_FILE": str(tmp_path / "token")})


def test_what_an_owner_says_of_a_licence(tmp_path: Path) -> None:
    text = """
    models: {ink: models/ink, sea: models/sea, old: models/old}
    licences:
      ink: openrail-m
      sea: {name: Sea Licence, url: "https://sea.example", uses: [pictures of sharks], commercial: "no"}
      old: {name: MIT, version: "2"}
    """
    said = {name: entry.licence() for name, entry in load(write(tmp_path, text), {}).licences.items()}
    assert (said["ink"].id, said["ink"].restricted) == ("openrail-m", True)
    assert (said["sea"].name, said["sea"].uses, said["sea"].commercial) == (
        "Sea Licence",
        ("pictures of sharks",),
        "no",
    )
    assert said["sea"].known
    assert (said["old"].id, said["old"].version, said["old"].restricted) == ("mit", "2", False)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("licences: {nothing: MIT}", "there is no “nothing”"),
        ("licences: {starter: {nmae: MIT}}", "did you mean “name”?"),
        ("privacy: {prompts_days: -1}", "greater than or equal to 0"),
        ("privacy: {quota_hours: 1}", "greater than or equal to 24"),
        ("privacy: {records_days: 30, prompts_days: 31}", "must keep records_days at least as long as prompts_days"),
    ],
)
def test_mistakes_about_privacy_and_licences(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(write(tmp_path, text), {})
    assert sentence in refused.value.sentence
    assert "\n" not in refused.value.sentence
    assert len(refused.value.sentence) < 300
