"""The other side of spec/bench/pool.lua: a pool of two workers of another system.

    python3 pool.py KIND

KIND: multiprocessing, futures (concurrent.futures), ipyparallel, mpi (mpi4py.futures, started by
mpirun -n 3 python3 -m mpi4py.futures). Prints lines "row<TAB>value", several a row: open (ms),
apply_only, apply (us), map (million items a second), longest, random (wall time by the ideal
one), memory (MiB), idle (% of a core a worker). Ends with code 3 where something is not
installed."""
import functools
import os
import random
import sys
import time
from time import perf_counter as clock

CALLS, ITEMS = 300, 1000000


def noop(*_):
    return None


def inc(x):
    return x + 1


def burn(ms):
    from time import perf_counter as clock  # where ipyparallel runs it nothing else is known
    until = clock() + ms * 1e-3
    while clock() < until:
        pass
    return ms


def row(name, value):
    print(f"{name}\t{value:.6g}", flush=True)


def timed(f, *arguments):
    start = clock()
    f(*arguments)
    return clock() - start


def family(head=None):
    """A process, by default this one, and those that it has started, and they in turn."""
    parents = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                parents[int(pid)] = int(file.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            pass
    pids = {head or os.getpid()}
    while True:
        more = {pid for pid, parent in parents.items() if parent in pids} | pids
        if more == pids:
            return pids
        pids = more


def memory(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return total / 1024


def ticks(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def measure(apply_only, apply, map_inc, map_burn, pids):
    for _ in range(20):
        apply()
    for _ in range(CALLS):
        row("apply_only", timed(apply_only) * 1e6)
    for _ in range(CALLS):
        row("apply", timed(apply) * 1e6)
    time.sleep(1)
    row("memory", memory(pids()))
    before = ticks(pids())
    time.sleep(2)
    row("idle", (ticks(pids()) - before) / 2 / 2 * 100)
    items = list(range(ITEMS))
    for _ in range(3):
        row("map", ITEMS / timed(map_inc, items) * 1e-6)
    longest = list(range(64, 0, -1))
    shuffled = random.Random(7).sample(longest, 64)
    for _ in range(2):
        row("longest", timed(map_burn, longest) / (sum(longest) / 2e3))
        row("random", timed(map_burn, shuffled) / (sum(longest) / 2e3))


def opened(start, n_first):
    """Seconds until a pool has done its first tasks; leaves it open."""
    begun = clock()
    pool = start()
    n_first(pool)
    row("open", (clock() - begun) * 1e3)
    return pool


def run_multiprocessing():
    import multiprocessing
    for _ in range(5):
        with opened(lambda: multiprocessing.Pool(2), lambda p: p.map(noop, range(2), 1)):
            pass
    with multiprocessing.Pool(2) as pool:
        measure(lambda: pool.apply(noop), lambda: pool.map(noop, range(2), 1),
                lambda items: pool.map(inc, items), lambda items: pool.map(burn, items, 1), family)


def run_futures():
    from concurrent.futures import ProcessPoolExecutor
    for _ in range(5):
        with opened(lambda: ProcessPoolExecutor(2), lambda p: list(p.map(noop, range(2)))):
            pass
    with ProcessPoolExecutor(2) as pool:
        measure_executor(pool, functools.partial(pool.map, chunksize=ITEMS // 8))


def measure_executor(pool, map_in_chunks, pids=family):
    def apply():
        for future in [pool.submit(noop) for _ in range(2)]:
            future.result()
    measure(lambda: pool.submit(noop).result(), apply,
            lambda items: list(map_in_chunks(inc, items)),
            lambda items: list(pool.map(burn, items)), pids)


def run_ipyparallel():
    try:
        import ipyparallel
    except ImportError:
        sys.exit(3)
    begun = clock()
    with ipyparallel.Cluster(n=2, log_level=50) as client:
        view, balanced = client[:], client.load_balanced_view()
        view.block = True
        view.apply_sync(noop)
        row("open", (clock() - begun) * 1e3)
        first = client[0]
        measure(lambda: first.apply_sync(noop), lambda: view.apply_sync(noop),
                lambda items: view.map_sync(inc, items),
                lambda items: balanced.map(burn, items, chunksize=1).get(), family)


def run_mpi():
    try:
        from mpi4py.futures import MPIPoolExecutor
    except ImportError:
        sys.exit(3)
    with opened(lambda: MPIPoolExecutor(2), lambda p: list(p.map(noop, range(2)))) as pool:
        measure_executor(pool, functools.partial(pool.map, chunksize=ITEMS // 8),
                         lambda: family(os.getppid()))  # of mpirun: ranks are its children


if __name__ == "__main__":
    globals()["run_" + sys.argv[1]]()
