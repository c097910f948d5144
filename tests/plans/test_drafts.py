"""What a plan says before it runs, from what the engine tells of a container."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.containers.drafts import DRAFTS, Draft, Surroundings
from actions.containers.facts import ContainerFacts, PublishedPort, facts_of
from actions.containers.find import Listed, find
from actions.containers.signals import ends_container, signal_name
from console.errors import UsageError

AROUND = Surroundings(docker=("docker",))


def inspected(**changed: Any) -> dict[str, Any]:
    """Give an inspect of a running container, with parts of it changed."""
    whole: dict[str, Any] = {
        "Id": "f" * 64,
        "Name": "/myia",
        "Path": "init.sh",
        "Args": ["run"],
        "RestartCount": 0,
        "State": {"Status": "running", "ExitCode": 0, "Error": "", "StartedAt": "a"},
        "Config": {"Image": "forge:latest"},
        "HostConfig": {"NetworkMode": "bridge", "RestartPolicy": {"Name": "unless-stopped"}},
    }
    for key, value in changed.items():
        whole[key] = {**whole[key], **value} if isinstance(value, dict) else value
    return whole


def draft(verb: str, around: Surroundings = AROUND, **changed: Any) -> Draft:
    return DRAFTS[verb](facts_of(inspected(**changed)), {}, around)


def ids(made: Draft) -> dict[str, str]:
    return {check.id: check.verdict for check in made.checks}


def test_a_python_as_pid_1_is_said_to_need_its_whole_grace() -> None:
    made = draft("stop", Path="python3", Args=["main.py", "--listen"])
    assert ids(made) == {"container.ignores-term": "pass"}
    assert "10 s" in made.checks[0].title
    for cure in ({"HostConfig": {"Init": True}}, {"Config": {"StopSignal": "SIGINT"}}):
        cured = draft("stop", Path="python3", Args=["main.py"], **cure)
        assert "container.ignores-term" not in ids(cured)


def test_the_grace_is_the_containers_own() -> None:
    assert draft("stop", Config={"StopTimeout": 90}).longest_seconds == 105
    assert draft("stop").longest_seconds == 25
    endless = draft("stop", Config={"StopTimeout": -1})
    assert endless.steps[0].command == "docker stop -t 10 myia"
    assert endless.longest_seconds == 25


@pytest.mark.parametrize("verb", DRAFTS)
@pytest.mark.parametrize("state", ["removing", "dead"])
def test_what_is_going_away_is_refused(verb: str, state: str) -> None:
    made = draft(verb, State={"Status": state})
    assert ids(made) == {f"container.{state}": "refuse"}
    assert made.steps == ()


def test_a_start_looks_for_who_has_its_port() -> None:
    wanted = {"PortBindings": {"7860/tcp": [{"HostIp": "", "HostPort": "7860"}]}}
    other = facts_of(inspected(Id="e" * 64, Name="/caddy", HostConfig=wanted))
    around = Surroundings(docker=("docker",), others=(other,))
    made = draft("start", around, State={"Status": "exited"}, HostConfig=wanted)
    assert ids(made)["container.port-taken"] == "refuse"
    refusal = next(check for check in made.checks if check.verdict == "refuse")
    assert "7860/tcp is taken by caddy" in refusal.title
    free = draft("start", around, State={"Status": "exited"})
    assert ids(free)["container.ports-free"] == "pass"


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        (("tcp", 80, ""), ("tcp", 80, "127.0.0.1"), True),
        (("tcp", 80, "0.0.0.0"), ("tcp", 80, "::"), True),
        (("tcp", 80, "127.0.0.1"), ("tcp", 80, "10.0.0.1"), False),
        (("tcp", 80, ""), ("udp", 80, ""), False),
        (("tcp", 80, ""), ("tcp", 81, ""), False),
    ],
)
def test_when_two_ports_clash(
    first: tuple[str, int, str], second: tuple[str, int, str], clash: bool
) -> None:
    one, two = (
        PublishedPort(protocol=entry[0], host_port=entry[1], host_ip=entry[2])
        for entry in (first, second)
    )
    assert one.clashes(two) is clash
    assert two.clashes(one) is clash


@pytest.mark.parametrize("network", ["host", "none", "container:abc"])
def test_without_a_network_of_its_own_it_takes_no_ports(network: str) -> None:
    ports = {"80/tcp": [{"HostIp": "", "HostPort": "80"}]}
    host = {"NetworkMode": network, "PortBindings": ports}
    assert facts_of(inspected(HostConfig=host)).ports == ()


def test_a_crash_loop_that_was_stopped_warns_before_the_next_start() -> None:
    made = draft("start", State={"Status": "exited", "ExitCode": 2}, RestartCount=6)
    assert ids(made)["container.crash-loop"] == "warn"
    assert any("6 times" in check.title for check in made.checks)


def test_an_end_that_was_asked_for_is_no_news() -> None:
    for code in (0, 130, 137, 143):
        made = draft("start", State={"Status": "exited", "ExitCode": code})
        assert set(ids(made)) == {"container.ports-free"}
    assert "container.last-exit" in ids(draft("start", State={"Status": "exited", "ExitCode": 2}))


def test_names_with_quotes_stay_one_word_of_the_command() -> None:
    around = Surroundings(docker=("docker", "-H", "unix:///a path/docker.sock"))
    made = draft("stop", around)
    assert made.steps[0].command == "docker -H 'unix:///a path/docker.sock' stop myia"


@pytest.mark.parametrize("verb", DRAFTS)
@given(data=st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["State", "Status", "Config", "HostConfig", "PortBindings", "80/tcp",
                         "HostPort", "Name", "Id", "Args", "RestartPolicy", "StopTimeout"]),
        inner, max_size=5),
    max_leaves=12,
))  # fmt: skip
def test_no_answer_of_an_engine_is_too_odd(verb: str, data: object) -> None:
    facts = facts_of(data if isinstance(data, dict) else {})
    made = DRAFTS[verb](facts, {}, AROUND)
    assert made.checks
    assert 0 < made.longest_seconds < 10**9 or facts.stop_timeout is not None


LISTED = (
    Listed(id="abc1" + "0" * 60, names=("myia",)),
    Listed(id="abc2" + "0" * 60, names=("myia-turbo",)),
    Listed(id="def1" + "0" * 60, names=("abc1", "myia/alias")),
)


def test_a_name_wins_over_the_beginning_of_an_id() -> None:
    assert find(LISTED, "abc1").names[0] == "abc1"
    assert find(LISTED, "abc2").names[0] == "myia-turbo"
    assert find(LISTED, "/myia").names[0] == "myia"


def test_an_ambiguous_beginning_lists_whom_it_could_mean() -> None:
    with pytest.raises(UsageError) as error:
        find(LISTED, "abc")
    assert error.value.code == "container.ambiguous"
    assert "myia (abc1" in error.value.hint
    assert "myia-turbo" in error.value.hint


@pytest.mark.parametrize("name", ["myai", "MYIA-TURBO ", "turbo"])
def test_an_unknown_name_gets_the_nearest(name: str) -> None:
    with pytest.raises(UsageError) as error:
        find(LISTED, name)
    assert error.value.code == "container.unknown"
    assert "myia" in error.value.hint


@given(st.text())
def test_any_name_is_found_or_told(name: str) -> None:
    told = ""
    try:
        found = find(LISTED, name)
    except UsageError as error:
        told = error.code
        found = LISTED[0]
    assert found in LISTED
    assert told in {"", "container.unknown", "container.ambiguous"}


@pytest.mark.parametrize(
    ("text", "name"),
    [("9", "KILL"), ("sigterm", "TERM"), ("SIGUSR1", "USR1"), (" hup ", "HUP"), ("RTMIN+3",) * 2],
)
def test_signals_by_name_and_number(text: str, name: str) -> None:
    assert signal_name(text) == name
    assert ends_container("TERM")
    assert not ends_container("HUP")


@pytest.mark.parametrize("text", ["", "0", "99", "KILLER", "\x1b[31mKILL", "SIGSIGKILL"])
def test_signals_that_there_are_not(text: str) -> None:
    with pytest.raises(UsageError) as error:
        signal_name(text)
    assert error.value.code == "plan.bad-signal"
    assert "\x1b" not in error.value.title


def test_facts_are_clean() -> None:
    name = "/my\x1b[31mia\u202e"
    facts: ContainerFacts = facts_of(inspected(Name=name, Args=["\x1b]0;x\x07", 7]))
    assert facts.name == "myia"
    assert "\x1b" not in "".join(facts.arguments)
