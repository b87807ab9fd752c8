"""Programs in turn: each in a process of its own, only one at work at a time.

Thread pools of two frameworks in one process disturb each other, and two runs one after
the other meet a different machine. So each program is started once and waits; the
benchmark tells one after the other to do a task and gets the seconds.
"""

import os
import subprocess
import sys
import time


class Program:
    """A process that waits for the names of tasks and does them."""

    def __init__(self, arguments, *, n_cores, python=sys.executable):
        """Start `python` with `arguments`, bound to so many cores of this machine."""
        all_cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, sorted(all_cores)[:n_cores])  # which a child inherits
        self._process = subprocess.Popen(
            [python, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        os.sched_setaffinity(0, all_cores)

    def seconds(self, task):
        """Return how long the program took for a task."""
        self._process.stdin.write(f"{task}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"the program ended in {task!r}; see its message above")
        return float(answer)

    def end(self):
        """Let the process end."""
        self._process.stdin.close()
        self._process.wait()


def serve(tasks, *, clock=time.perf_counter):
    """Do the tasks that are asked for on the standard input, and print the seconds.

    Args:
        tasks: A function without arguments for each name.
        clock: Whose seconds; `time.process_time` where other work shares the core.
    """
    for line in sys.stdin:
        started = clock()
        tasks[line.strip()]()
        print(clock() - started, flush=True)
