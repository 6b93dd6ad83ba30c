"""How long each trial is: full, quick, or as short as in the tests."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Numbers and durations.

    Attributes:
        fuzz: requests: valid, invalid and raw ones.
        load_s: seconds of each open-loop load.
        slow: connections that never finish their head.
        patient: whether to wait until the service closes those, and replaces a worker that hangs.
        restarts: of instances behind the balancer.
        between_s: seconds from one restart to the next.
        worker_kills: of one of two workers.
        damages: 1 tries every damage to a checkpoint, n every n-th.
        reloads: checkpoints that are taken over under load.
        hangups: signals to a running service that ask for a reload.
        training_kills: of one training run.
        soak_s: seconds at 70 % load.
        heavy: kinds of the most expensive requests.
        crowd: of those at the same time.
        unread: clients that ask for much and read nothing.
    """

    fuzz: int
    load_s: float
    slow: int
    patient: bool
    restarts: int
    between_s: float
    worker_kills: int
    damages: int
    reloads: int
    hangups: int
    training_kills: int
    soak_s: float
    heavy: int
    crowd: int
    unread: int


FULL = Scale(
    fuzz=10_000,
    load_s=10,
    slow=500,
    patient=True,
    restarts=10,
    between_s=20,
    worker_kills=5,
    damages=1,
    reloads=20,
    hangups=500,
    training_kills=20,
    soak_s=600,
    heavy=10,
    crowd=60,
    unread=1000,
)
QUICK = Scale(
    fuzz=1_000,
    load_s=3,
    slow=500,
    patient=True,
    restarts=3,
    between_s=4,
    worker_kills=2,
    damages=4,
    reloads=6,
    hangups=200,
    training_kills=4,
    soak_s=20,
    heavy=10,
    crowd=60,
    unread=1000,
)
TEST = Scale(
    fuzz=300,
    load_s=0.5,
    slow=60,
    patient=False,
    restarts=1,
    between_s=2,
    worker_kills=1,
    damages=11,
    reloads=3,
    hangups=100,
    training_kills=1,
    soak_s=1,
    heavy=1,
    crowd=25,
    unread=60,
)
