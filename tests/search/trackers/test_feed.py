import threading
import time

import pytest
from optuna.trial import TrialState, create_trial

from search.trackers.base import Received, Tracker


class Server:
    """What a tracking server has: epochs and ends by trial, and whether it answers."""

    def __init__(self):
        self.is_away = False
        self.trials, self.configs, self.ends = {}, {}, {}
        self.closed = []

    def ask(self):
        if self.is_away:
            raise ConnectionError("nobody answers")


class Client(Tracker):
    """A tracker whose server is an object of this process."""

    name = "server"
    package = "optuna"
    extra = "server"

    def __init__(self, server):
        self._server = server

    def open(self, search):
        self._server.ask()

    def begin(self, number, config):
        self._server.ask()
        self._server.configs[number] = dict(config)
        epochs = self._server.trials.setdefault(number, [])
        end = self._server.ends.get(number)
        return Received(len(epochs), end is not None and end.is_final)

    def log(self, number, rows):
        for row in rows:
            self._server.ask()
            self._server.trials[number].append(row)

    def end(self, number, end, files):
        self._server.ask()
        assert number not in self._server.ends or not self._server.ends[number].is_final
        self._server.ends[number] = end

    def close(self, *, is_done):
        self._server.ask()
        self._server.closed.append(is_done)


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def story(new_story, server):
    return new_story(lambda: Client(server))


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def epochs(server, number):
    return [row["epoch"] for row in server.trials.get(number, [])]


def test_each_epoch_is_sent_once_also_by_a_search_that_goes_on(
    story, server, tell_of_an_interrupted_search
):
    tell_of_an_interrupted_search(story)
    assert epochs(server, 0) == [1, 2, 3]
    assert epochs(server, 1) == [1, 2, 3, 4]
    assert server.configs == {0: story.config, 1: story.config}
    assert [server.ends[number].state for number in (0, 1)] == ["complete", "pruned"]
    assert server.closed == [False, True]


def test_metrics_that_are_no_numbers_are_left_out(story, server, tell_of_an_interrupted_search):
    tell_of_an_interrupted_search(story)
    assert server.trials[0][0] == {"epoch": 1, "val/f1": 0.1}


def test_a_server_that_was_away_has_everything_once_it_is_back(story, server):
    feed = story.feed()
    server.is_away = True
    story.train(feed, 0, range(1, 4))
    wait_for(lambda: story.notes)
    story.end(feed, 0, "complete", 3)
    server.is_away = False
    feed.close(is_done=True)
    assert epochs(server, 0) == [1, 2, 3]
    assert story.notes == [
        "server: nobody answers. The search goes on; what is missing is sent once that works.",
        "server: works again",
    ]


def test_a_server_that_stays_away_delays_the_end_no_longer_than_that(story, server):
    server.is_away = True
    feed = story.feed(close_s=5)
    for number in range(3):
        story.train(feed, number, range(1, 3))
        story.end(feed, number, "complete", 2)
    feed.close(is_done=True)
    assert len(story.notes) == 2
    assert story.notes[1] == (
        f"server: 3 trials are not all there; what is missing is sent by --resume {story.run}"
    )


def test_what_an_earlier_process_could_not_send_is_sent_when_the_search_goes_on(story, server):
    server.is_away = True
    feed = story.feed()
    story.train(feed, 0, range(1, 3))
    story.end(feed, 0, "complete", 2)
    feed.close(is_done=True)
    server.is_away = False
    earlier = create_trial(
        state=TrialState.COMPLETE,
        value=0.2,
        user_attrs={"config": story.config, "reason": "epochs"},
    )
    earlier.number = 0
    story.feed(earlier=[earlier]).close(is_done=True)
    assert epochs(server, 0) == [1, 2]
    end = server.ends[0]
    assert (end.state, end.value, end.reason) == ("complete", 0.2, "epochs")


def test_telling_does_not_wait_for_the_server(story, server):
    answers = threading.Event()
    server.ask = answers.wait
    feed = story.feed()
    for number in range(20):
        story.train(feed, number, range(1, 2))
        story.end(feed, number, "complete", 1)
    assert server.trials == {}
    answers.set()
    feed.close(is_done=True)
    assert [epochs(server, number) for number in range(20)] == [[1]] * 20


def test_without_news_nobody_is_asked(story, server):
    server.is_away = True
    story.feed().close(is_done=True)
    assert story.notes == []
