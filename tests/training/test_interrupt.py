import os
import signal

import pytest

from training.interrupt import STOP_SIGNALS, StopSwitch


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_first_signal_sets_requested_and_the_second_would_end_the_process(
    number: signal.Signals,
) -> None:
    before = signal.getsignal(number)
    with StopSwitch() as switch:
        assert not switch.requested
        os.kill(os.getpid(), number)
        assert switch.requested
        assert signal.getsignal(number) == signal.SIG_DFL
    assert signal.getsignal(number) == before
