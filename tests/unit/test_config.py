"""The table of options: what is read, what is refused, and that all of it is said at once."""

from __future__ import annotations

import base64
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attendance.config import OPTIONS, Settings, dump_settings, given_options, load_settings
from attendance.errors import ConfigError

SECRET = "0123456789abcdef0123456789abcdef"
TOKEN = base64.urlsafe_b64encode(b"1180000000000000512").decode().rstrip("=") + ".Gabcde.secret-part_0"
POSTGRESQL = {
    "DATABASE_URL": "postgresql://rollcall:pa%2Fss@db/rollcall",
    "API_INTERNAL_SECRET": SECRET,
    "ROLLCALL_MASTER_KEY_FILE": "/run/secrets/master_key",
}
NAMES = [option.name for option in OPTIONS]
# What environment variables can hold: no NUL; bytes that are no UTF-8 arrive as lone surrogates.
environment_texts = st.binary(max_size=60).map(lambda raw: raw.replace(b"\0", b"").decode("utf-8", "surrogateescape"))
near_misses = st.one_of(
    environment_texts,
    st.sampled_from(
        ("http://[", "postgresql://h:port/d", "sqlite:///\udcff", "9-0", "0-99999", "99999", "\uff11\uff12", "::1/129", "a.b.c")
    ),
    st.from_regex(r"(https?|sqlite|postgresql(\+asyncpg)?)://[a-z:@\[\]/%?#=0-9]{0,20}", fullmatch=True),
    st.from_regex(r"[0-9,\-/. :a-f]{0,20}", fullmatch=True),
)


def _as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def problems(environment: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load_settings(environment)
    return str(refused.value).splitlines()


def problem(environment: dict[str, str]) -> str:
    (only,) = problems(environment)
    return only


def test_nothing_set_is_an_embedded_deployment_on_loopback() -> None:
    settings = load_settings({})
    folder = Path("data").absolute()
    assert settings.is_embedded
    assert settings.database_url == f"sqlite+aiosqlite:///{folder / 'rollcall.db'}"
    assert (settings.data_dir, settings.api_host, settings.api_port) == (folder, "127.0.0.1", 8080)
    assert settings.discord_api_url == "https://discord.com/api/v10"
    assert settings.journal_days == 8
    assert settings.metrics_port is None
    assert settings.shard_ids is None
    assert settings.admin_user_ids == frozenset()


def test_a_variable_that_is_set_to_nothing_is_not_set() -> None:
    assert load_settings({option.name: "" for option in OPTIONS}) == load_settings({})


def test_every_option_is_read() -> None:
    settings = load_settings(
        POSTGRESQL
        | {
            "DISCORD_BOT_TOKEN": TOKEN,
            "API_INTERNAL_SECRET_PREVIOUS": SECRET[::-1],
            "WEBHOOK_SECRET": "hook",
            "ADMIN_USER_IDS": "80351110224678912, 1",
            "ROLLCALL_DATA_DIR": "/var/lib/rollcall",
            "ROLLCALL_API_HOST": "::1",
            "ROLLCALL_API_PORT": "0",
            "ROLLCALL_PUBLIC_URL": "https://rollcall.example/",
            "ROLLCALL_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
            "ROLLCALL_METRICS_PORT": "9100",
            "ROLLCALL_DISCORD_API_URL": "http://127.0.0.1:8081/api/v10",
            "ROLLCALL_SHARD_IDS": "8,0-3, 2",
            "ROLLCALL_SHARD_COUNT": "16",
            "ROLLCALL_JOURNAL_DAYS": "30",
            "ROLLCALL_RATE_LIMIT_USER": "1000",
            "ROLLCALL_RATE_LIMIT_IP": "10",
            "ROLLCALL_LOG_FORMAT": "json",
            "ROLLCALL_WEBHOOK_ALLOW": "192.168.0.0/16",
            "ROLLCALL_BILLING": "on",
            "ROLLCALL_PRO_SKU_IDS": "7,8",
            "DISCORD_CLIENT_ID": "1180000000000000512",
            "DISCORD_CLIENT_SECRET": "client",
            "ROLLCALL_DASHBOARD_HOST": "::1",
            "ROLLCALL_DASHBOARD_PORT": "0",
            "ROLLCALL_DASHBOARD_URL": "https://dashboard.example/",
            "ROLLCALL_DASHBOARD_RETURN_ORIGINS": "https://a.example, https://b.example/",
            "ROLLCALL_DASHBOARD_SECRET": SECRET,
            "ROLLCALL_DASHBOARD_SERVICE_KEY": SECRET[::-1],
            "ROLLCALL_DASHBOARD_DATABASE_URL": "postgresql://db/dashboard",
            "ROLLCALL_API_URL": "http://api:8080",
            "ROLLCALL_RATE_LIMIT_DASHBOARD": "5",
        }
    )
    assert settings == Settings(
        discord_bot_token=TOKEN,
        database_url="postgresql+asyncpg://rollcall:pa%2Fss@db/rollcall",
        api_internal_secret=SECRET,
        api_internal_secret_previous=SECRET[::-1],
        webhook_secret="hook",
        admin_user_ids=frozenset({80351110224678912, 1}),
        data_dir=Path("/var/lib/rollcall"),
        api_host="::1",
        api_port=0,
        webhook_allow=(ip_network("192.168.0.0/16"),),
        billing=True,
        pro_sku_ids=frozenset({7, 8}),
        public_url="https://rollcall.example",
        trusted_proxies=(ip_network("10.0.0.0/8"), ip_network("::1")),
        metrics_port=9100,
        discord_api_url="http://127.0.0.1:8081/api/v10",
        master_key_file=Path("/run/secrets/master_key"),
        shard_ids=(0, 1, 2, 3, 8),
        shard_count=16,
        journal_days=30,
        rate_limit_user=1000,
        rate_limit_ip=10,
        log_format="json",
        discord_client_id="1180000000000000512",
        discord_client_secret="client",
        dashboard_host="::1",
        dashboard_port=0,
        dashboard_url="https://dashboard.example",
        dashboard_return_origins=("https://a.example", "https://b.example"),
        dashboard_secret=SECRET,
        dashboard_service_key=SECRET[::-1],
        dashboard_database_url="postgresql+asyncpg://db/dashboard",
        api_url="http://api:8080",
        rate_limit_dashboard=5,
    )
    assert not settings.is_embedded


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_every_spelling_of_postgresql_gets_its_driver(scheme: str) -> None:
    assert load_settings(POSTGRESQL | {"DATABASE_URL": f"{scheme}://db/x"}).database_url == "postgresql+asyncpg://db/x"


def test_all_mistakes_are_told_at_once_each_with_its_option() -> None:
    found = problems(
        {
            "DISCORD_BOT_TOKEN": "Bot abc",
            "DATABASE_URL": "mysql://db/x",
            "API_INTERNAL_SECRET": "short",
            "ADMIN_USER_IDS": "me",
            "ROLLCALL_API_PORT": "65536",
            "ROLLCALL_PUBLIC_URL": "rollcall.example",
            "ROLLCALL_TRUSTED_PROXIES": "10.0.0.1/8",
            "ROLLCALL_METRICS_PORT": "+1",
            "ROLLCALL_SHARD_IDS": "0-",
            "ROLLCALL_SHARD_COUNT": "0",
            "ROLLCALL_JOURNAL_DAYS": "0",
            "ROLLCALL_RATE_LIMIT_USER": "-1",
            "ROLLCALL_LOG_FORMAT": "xml",
        }
    )
    assert [line.split()[0] for line in found] == [
        "DISCORD_BOT_TOKEN",
        "DATABASE_URL",
        "API_INTERNAL_SECRET",
        "ADMIN_USER_IDS",
        "ROLLCALL_API_PORT",
        "ROLLCALL_PUBLIC_URL",
        "ROLLCALL_TRUSTED_PROXIES",
        "ROLLCALL_METRICS_PORT",
        "ROLLCALL_SHARD_IDS",
        "ROLLCALL_SHARD_COUNT",
        "ROLLCALL_JOURNAL_DAYS",
        "ROLLCALL_RATE_LIMIT_USER",
        "ROLLCALL_LOG_FORMAT",
    ]


def test_a_secret_is_not_repeated_in_what_is_wrong_with_it() -> None:
    for name in ("DISCORD_BOT_TOKEN", "API_INTERNAL_SECRET", "DATABASE_URL"):
        assert "hunter2" not in problem({name: "hunter2"})


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_option_may_be_given_as_a_file(option: object, tmp_path: Path) -> None:
    values = {
        "DISCORD_BOT_TOKEN": TOKEN,
        "API_INTERNAL_SECRET": SECRET,
        "API_INTERNAL_SECRET_PREVIOUS": SECRET,
        "DATABASE_URL": "sqlite:////srv/rollcall.db",
        "ROLLCALL_PUBLIC_URL": "https://rollcall.example",
        "ROLLCALL_METRICS_PORT": "9100",
        "ROLLCALL_SHARD_COUNT": "1",
        "ROLLCALL_SHARD_IDS": "0",
        "ROLLCALL_TRUSTED_PROXIES": "10.0.0.0/8",
        "ROLLCALL_WEBHOOK_ALLOW": "192.168.0.0/16",
        "DISCORD_CLIENT_ID": "1180000000000000512",
        "ROLLCALL_DASHBOARD_URL": "https://rollcall.example",
        "ROLLCALL_DASHBOARD_RETURN_ORIGINS": "https://rollcall.example",
        "ROLLCALL_DASHBOARD_SECRET": SECRET,
        "ROLLCALL_DASHBOARD_SERVICE_KEY": SECRET,
        "ROLLCALL_DASHBOARD_DATABASE_URL": "sqlite:////srv/dashboard.db",
        "ROLLCALL_API_URL": "http://127.0.0.1:8080",
    }
    partners = {
        "ROLLCALL_SHARD_IDS": {"ROLLCALL_SHARD_COUNT": "1"},
        "DISCORD_CLIENT_ID": {"DISCORD_CLIENT_SECRET": "client"},
        "DISCORD_CLIENT_SECRET": {"DISCORD_CLIENT_ID": "1"},
    }
    name = option.name  # type: ignore[attr-defined]
    value = values.get(name) or option.default or "1"  # type: ignore[attr-defined]
    file = tmp_path / "value"
    file.write_text(f"{value}\n", encoding="utf-8")
    beside = partners.get(name, {})
    assert load_settings({f"{name}_FILE": str(file)} | beside) == load_settings({name: value} | beside)


def test_a_value_and_a_file_for_it_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN, encoding="utf-8")
    found = problem({"DISCORD_BOT_TOKEN": TOKEN, "DISCORD_BOT_TOKEN_FILE": str(file)})
    assert found == "DISCORD_BOT_TOKEN is given twice: also as DISCORD_BOT_TOKEN_FILE"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing, binary = tmp_path / "missing", tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    assert problem({"WEBHOOK_SECRET_FILE": str(missing)}) == f"WEBHOOK_SECRET cannot be read from {missing} (FileNotFoundError)"
    assert str(binary) in problem({"WEBHOOK_SECRET_FILE": str(binary)})
    assert str(tmp_path) in problem({"WEBHOOK_SECRET_FILE": str(tmp_path)})


def test_postgresql_needs_a_secret_and_a_master_key_of_its_own() -> None:
    found = problems({"DATABASE_URL": "postgresql://db/rollcall"})
    assert [line.split()[0] for line in found] == ["API_INTERNAL_SECRET", "ROLLCALL_MASTER_KEY_FILE"]
    assert "rollcall master-key" in found[1]
    load_settings(POSTGRESQL)


def test_shard_ids_need_a_count_that_has_them() -> None:
    assert problem({"ROLLCALL_SHARD_IDS": "0"}) == "ROLLCALL_SHARD_COUNT must be set with ROLLCALL_SHARD_IDS"
    too_high = problem({"ROLLCALL_SHARD_IDS": "0-4", "ROLLCALL_SHARD_COUNT": "4"})
    assert too_high == "ROLLCALL_SHARD_IDS names a shard that ROLLCALL_SHARD_COUNT does not have"
    assert load_settings({"ROLLCALL_SHARD_IDS": "3", "ROLLCALL_SHARD_COUNT": "4"}).shard_ids == (3,)


def test_a_dump_hides_secrets_and_says_where_values_come_from(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET, encoding="utf-8")
    rows = {
        name: (value, origin)
        for name, value, origin in dump_settings(
            {
                "DISCORD_BOT_TOKEN": TOKEN,
                "DATABASE_URL": "postgresql://u:hunter2@db/x",
                "API_INTERNAL_SECRET_FILE": str(file),
                "ROLLCALL_API_PORT": "9000",
            }
        )
    }
    assert list(rows) == [option.name for option in OPTIONS]
    assert rows["DISCORD_BOT_TOKEN"] == ("(hidden)", "environment")
    assert rows["DATABASE_URL"] == ("(hidden)", "environment")
    assert rows["API_INTERNAL_SECRET"] == ("(hidden)", "file")
    assert rows["WEBHOOK_SECRET"] == ("", "default")
    assert rows["ROLLCALL_API_PORT"] == ("9000", "environment")
    assert rows["ROLLCALL_JOURNAL_DAYS"] == ("8", "default")


def test_a_dump_goes_on_past_a_value_that_is_given_twice(tmp_path: Path) -> None:
    rows = dump_settings({"WEBHOOK_SECRET": "hunter2", "WEBHOOK_SECRET_FILE": str(tmp_path)})
    assert len(rows) == len(OPTIONS)
    assert "hunter2" not in str(rows)


def refused_names(environment: dict[str, str]) -> set[str]:
    """The options that a ConfigError names; none if the settings are taken. Any other error is the caller's failure."""
    try:
        load_settings(environment)
    except ConfigError as error:
        return {line.split()[0] for line in str(error).splitlines()}
    return set()


@settings(max_examples=300)  # settings are read once a start
@given(st.dictionaries(st.sampled_from(NAMES), near_misses))
def test_any_texts_give_settings_or_a_config_error_that_names_options(environment: dict[str, str]) -> None:
    assert refused_names(environment) <= set(NAMES)
    hidden = {option.name for option in OPTIONS if option.secret}
    assert {value for name, value, _ in dump_settings(environment) if name in hidden} <= {"", "(hidden)"}


@settings(max_examples=300)
@given(name=st.sampled_from(NAMES), content=st.one_of(st.binary(max_size=80), near_misses.map(_as_bytes)))
def test_any_bytes_in_a_file_give_settings_or_a_config_error_that_names_options(
    tmp_path_factory: pytest.TempPathFactory, name: str, content: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "any bytes in a setting's file"
    file.write_bytes(content)
    assert refused_names({f"{name}_FILE": str(file)}) <= set(NAMES)


def test_only_the_named_options_are_handed_on(monkeypatch):
    monkeypatch.setenv("ROLLCALL_BILLING", "on")
    monkeypatch.setenv("ROLLCALL_DATABASE_URL", "postgresql://production/rollcall")
    monkeypatch.delenv("WEBHOOK_SECRET", raising=False)
    assert given_options(("ROLLCALL_BILLING", "WEBHOOK_SECRET")) == {"ROLLCALL_BILLING": "on"}
