from threading import Thread

from augbench.datasets.trunks.cuda_graph import is_recording, recording


def test_only_the_thread_that_records_is_in_the_block() -> None:
    seen = []
    assert not is_recording()
    with recording():
        assert is_recording()
        other = Thread(target=lambda: seen.append(is_recording()))
        other.start()
        other.join()
    assert not is_recording()
    assert seen == [False]
