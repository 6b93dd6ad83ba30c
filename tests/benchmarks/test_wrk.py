import subprocess

import pytest

from benchmarks.figure import Load
from benchmarks.wrk import LoadError, Request, parse_wrk, require_wrk, start_wrk

PRINTED = """Running 3s test @ http://127.0.0.1:8000/generate?digits=2018
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.87ms    1.05ms  12.33ms   91.20%
    Req/Sec     5.66k   210.01     5.90k    80.00%
  Latency Distribution
     50%  850.00us
     75%    2.95ms
     90%    3.41ms
     99%    1.02s{space}
  16890 requests in 3.00s, 26.43MB read
{failure}Requests/sec:   5628.17
Transfer/sec:      8.81MB
"""


def test_parse_wrk_reads_rate_and_latencies_in_microseconds() -> None:
    assert parse_wrk(PRINTED.format(failure="", space=" "), "/") == Load(5628.17, 850.0, 1.02e6)


@pytest.mark.parametrize(
    "failure",
    ["Non-2xx or 3xx responses: 12", "Socket errors: connect 0, read 3, write 0, timeout 0"],
)
def test_parse_wrk_failed_answers_raise_with_their_number(failure: str) -> None:
    with pytest.raises(LoadError, match=f"^The load on /generate failed: {failure}.$"):
        parse_wrk(PRINTED.format(failure=f"  {failure}\n", space=""), "/generate")


def test_parse_wrk_no_answer_raises() -> None:
    with pytest.raises(LoadError, match=r"^The load on /generate got no answer; wrk printed 'unab"):
        parse_wrk("unable to connect to 127.0.0.1:1 Connection refused\n", "/generate")


def test_require_wrk_missing_raises_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LoadError, match=r"^The benchmark needs wrk, .* run `apt-get install wrk`"):
        require_wrk()


def test_start_wrk_posts_json_and_sends_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: started.append(command))
    start_wrk("http://host", Request("/path", '{"a": "1"}', {"X-Name": "value"}), 16, 3)
    ((*options, script, separator, body),) = started
    assert options[:7] == ["wrk", "--latency", "-t1", "-c16", "-d3s", "-H", "X-Name: value"]
    assert options[7:] == ["http://host/path", "-s"]
    assert (script.endswith("post.lua"), separator, body) == (True, "--", '{"a": "1"}')
