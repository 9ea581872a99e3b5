"""The other side of spec/bench/memory.lua: an array goes to two workers, and both read all of it.

    python3 memory.py KIND MIB ROUNDS

KIND: multiprocessing (an argument of one task each), shared_memory (the same by hand, through
multiprocessing.shared_memory), ipyparallel (DirectView.push), mpi (a broadcast by mpi4py, started
by mpirun -n 3). Prints a line of two numbers for each round: the seconds of the push alone, and those
of push and read. Ends with code 3 where something is not installed."""
import sys
from time import perf_counter as clock

try:
    import numpy as np
except ImportError:
    sys.exit(3)

kept = None


def keep(barrier_of, array):
    global kept
    kept = array
    barrier_of.wait()


def read_kept(barrier_of):
    total = float(np.dot(kept.ravel(), kept.ravel()))
    barrier_of.wait()
    return total


def make(mib):
    return np.ones((1000, mib * 2 ** 17 // 1000))


def report(start, pushed, end):
    print(f"{pushed - start:.9f} {end - start:.9f}", flush=True)


def run_multiprocessing(mib, rounds):
    import multiprocessing
    manager = multiprocessing.Manager()
    with multiprocessing.Pool(2) as pool:
        barrier, array = manager.Barrier(2), make(mib)
        for _ in range(rounds):
            start = clock()
            pool.starmap(keep, [(barrier, array)] * 2, chunksize=1)
            pushed = clock()
            pool.starmap(read_kept, [(barrier,)] * 2, chunksize=1)
            report(start, pushed, clock())


def attach(barrier_of, name, shape):
    from multiprocessing import resource_tracker, shared_memory
    global kept, memory
    # Else the tracker of each worker would unlink what is not its own.
    register, resource_tracker.register = resource_tracker.register, lambda *_: None
    memory = shared_memory.SharedMemory(name)
    resource_tracker.register = register
    kept = np.ndarray(shape, buffer=memory.buf)
    barrier_of.wait()


def run_shared_memory(mib, rounds):
    import multiprocessing
    from multiprocessing import shared_memory
    manager = multiprocessing.Manager()
    with multiprocessing.Pool(2) as pool:
        barrier, array = manager.Barrier(2), make(mib)
        for _ in range(rounds):
            start = clock()
            memory = shared_memory.SharedMemory(create=True, size=array.nbytes)
            np.ndarray(array.shape, buffer=memory.buf)[:] = array
            pool.starmap(attach, [(barrier, memory.name, array.shape)] * 2, chunksize=1)
            pushed = clock()
            pool.starmap(read_kept, [(barrier,)] * 2, chunksize=1)
            report(start, pushed, clock())
            memory.unlink()


def run_ipyparallel(mib, rounds):
    try:
        import ipyparallel
    except ImportError:
        sys.exit(3)
    with ipyparallel.Cluster(n=2, log_level=50) as client:
        view, array = client[:], make(mib)
        view.block = True
        view.execute("import numpy as np")
        for _ in range(rounds):
            start = clock()
            view.push({"array": array})
            pushed = clock()
            view.execute("total = float(np.dot(array.ravel(), array.ravel()))")
            report(start, pushed, clock())


def run_mpi(mib, rounds):
    try:
        from mpi4py import MPI
    except ImportError:
        sys.exit(3)
    world = MPI.COMM_WORLD
    array = make(mib) if world.rank == 0 else None
    for _ in range(rounds):
        world.Barrier()
        start = clock()
        there = world.bcast(array, root=0)
        world.Barrier()
        pushed = clock()
        if world.rank > 0:
            float(np.dot(there.ravel(), there.ravel()))
        world.Barrier()
        if world.rank == 0:
            report(start, pushed, clock())
        del there


if __name__ == "__main__":
    globals()["run_" + sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]))
