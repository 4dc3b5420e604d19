"""Options: where a value comes from, what is accepted, and what an error says."""

import threading
from pathlib import Path

import pytest

from symcomp.errors import OptionError
from symcomp.options import MAXIMUM_THREADS, TABLE, Options, available_cpus


@pytest.fixture
def options(monkeypatch):
    for option in TABLE:
        monkeypatch.delenv(option.variable, raising=False)
    return Options()


def test_defaults_are_accepted_by_their_own_options(options):
    for option in TABLE:
        value = options.get(option.name)
        assert option.read(value) == value
        assert options.source(option.name) == "default"


def test_threads_default_to_the_processors_of_this_process(options):
    assert options.threads == min(available_cpus(), MAXIMUM_THREADS)


def test_precedence_is_block_then_set_then_environment_then_default(options, monkeypatch):
    monkeypatch.setenv("SYMCOMP_FLOATX", "float32")
    assert (options.floatX, options.source("floatX")) == ("float32", "SYMCOMP_FLOATX")
    options.set(floatX="float64")
    assert (options.floatX, options.source("floatX")) == ("float64", "set")
    with options(floatX="float32"):
        assert (options.floatX, options.source("floatX")) == ("float32", "with block")
        assert options.process_value("floatX") == "float64"
    assert options.floatX == "float64"
    options.reset()
    assert options.floatX == "float32"


def test_assignment_sets(options):
    options.threads = 3
    assert options.threads == 3
    with pytest.raises(OptionError, match="did you mean 'threads'"):
        options.thread = 3


def test_blocks_nest_and_end_with_an_exception(options):
    with pytest.raises(KeyError), options(threads=1):
        with options(threads=2, debug=1):
            assert (options.threads, options.debug) == (2, 1)
        assert (options.threads, options.debug) == (1, 0)
        raise KeyError
    assert not options.in_block("threads")


def test_a_block_is_seen_by_its_own_thread_only(options):
    seen = []
    with options(debug=5):
        thread = threading.Thread(target=lambda: seen.append(options.debug))
        thread.start()
        thread.join()
    assert seen == [0]


def test_nothing_is_set_when_one_value_is_wrong(options):
    with pytest.raises(OptionError):
        options.set(debug=2, threads=0)
    assert options.debug == 0


def test_watchers_are_told(options):
    told = []
    options.watch("threads", lambda: told.append(options.threads))
    options.set(threads=3, debug=1)
    options.set(debug=2)
    with options(threads=1):
        pass
    assert told == [3, 1, 3]


def test_cache_is_an_absolute_path(options, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    options.set(cache="here")
    assert options.cache == Path(tmp_path, "here")
    options.reset()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Options().cache == tmp_path / "symcomp"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"threads": 0},
            "option 'threads' cannot be 0: allowed is a whole number from 1 to 256",
        ),
        (
            {"threads": 1.5},
            "option 'threads' cannot be 1.5: allowed is a whole number from 1 to 256",
        ),
        (
            {"threads": True},
            "option 'threads' cannot be True: allowed is a whole number from 1 to 256",
        ),
        ({"debug": 6}, "option 'debug' cannot be 6: allowed is a whole number from 0 to 5"),
        (
            {"rewrite_budget": float("nan")},
            "option 'rewrite_budget' cannot be nan: allowed is a finite number from 0 to 1e+06",
        ),
        (
            {"rewrite_budget": float("inf")},
            "option 'rewrite_budget' cannot be inf: allowed is a finite number from 0 to 1e+06",
        ),
        (
            {"floatX": "float16"},
            "option 'floatX' cannot be 'float16': allowed is 'float32' or 'float64'",
        ),
        ({"cache": ""}, "option 'cache' cannot be '': allowed is the path of a folder"),
        ({"cc": 3}, "option 'cc' cannot be 3: allowed is a string"),
        ({"threds": 2}, "unknown option 'threds': did you mean 'threads'?"),
        ({"floatx": "float32"}, "unknown option 'floatx': did you mean 'floatX'?"),
        (
            {"zzz": 1},
            "unknown option 'zzz': known are: " + ", ".join(option.name for option in TABLE),
        ),
    ],
)
def test_errors_name_the_option_the_value_and_what_is_allowed(options, values, message):
    with pytest.raises(OptionError) as caught:
        options.set(**values)
    assert caught.value.message == message
    assert isinstance(caught.value, ValueError)


def test_errors_from_the_environment_name_the_variable(options, monkeypatch):
    monkeypatch.setenv("SYMCOMP_THREADS", "many")
    with pytest.raises(OptionError) as caught:
        _ = options.threads
    assert caught.value.message == (
        "option 'threads' (from the environment variable SYMCOMP_THREADS) cannot be 'many': "
        "allowed is a whole number from 1 to 256"
    )


@pytest.mark.parametrize(("text", "value"), [("1", True), ("no", False), ("TRUE", True)])
def test_truth_is_read_from_the_environment(options, monkeypatch, text, value):
    monkeypatch.setenv("SYMCOMP_ALLOW_INPUT_DOWNCAST", text)
    assert options.allow_input_downcast is value


def test_every_option_is_described(options):
    lines = options.describe().splitlines()
    assert [line.split()[0] for line in lines] == [option.name for option in TABLE]
