--- Memory: what it costs to send large arrays, and how many copies there are.
--
--     build/neap spec/bench/memory.lua [ROUNDS [PEER_ROUNDS [PEER]]]
--
-- Arrays of 256 MiB and 1 GiB, 1,000 vectors each, and two workers. What is compared is measured
-- in turn, so that what else runs on the machine meets both. The bare limit is a C program (cc
-- compiles it); peers run under $PYTHON, python3 by default, where they are installed. With PEER
-- nothing but the comparison with that one runs. mpi stands for pyMOR's MPIPool, which broadcasts
-- pickled objects by mpi4py as well.
local array = require "host.array"
local measure = require "spec.bench.measure"
local neap = require "neap"
local clock = require "host.clock".now
local VectorArray = neap.VectorArray

local rounds = math.tointeger(tonumber(arg[1] or 15))
local peer_rounds = math.tointeger(tonumber(arg[2] or 3))
local here = arg[0]:match("^(.*)/") or "."
local python = os.getenv("PYTHON") or "python3"

local SIZES = { 256, 1024 } -- MiB

local function bytes_of(mib) return mib * 2 ^ 17 // 1000 * 8000 end

local function make(mib) return VectorArray.ones(mib * 2 ^ 17 // 1000 | 0, 1000) end

local function sleep() os.execute("sleep 0.02") end -- until workers sleep

local function ratio(name, a, b, bound)
  local x, low_x = measure.summary(a)
  local y, low_y = measure.summary(b)
  print(("%-60s %8.3g (least ones %.3g)  %s"):format(name, x / y, low_x / low_y, bound))
  print(('{"bench": "%s", "ratio": %.6g, "least": %.6g}'):format(name, x / y, low_x / low_y))
end

local function scaled(list, factor)
  local copy = {}
  for i, x in ipairs(list) do copy[i] = x * factor end
  return copy
end

local function report(name, seconds, bound)
  measure.report(name, scaled(seconds, 1e3), "ms", bound)
end

--- Bytes of memory, counted once, of this process and the pool's workers.
local function footprint(pool)
  local sum = 0
  local function add(pid)
    local file <close> = assert(io.open(("/proc/%s/smaps_rollup"):format(pid)))
    sum = sum + file:read("a"):match("\nPss:%s+(%d+)") * 1024
  end
  add("self")
  for _, s in ipairs(pool:status()) do add(s.pid) end
  return sum
end

local function collect_all(pool)
  collectgarbage()
  pool:apply(function() collectgarbage() end)
end

-- --- where blocks are born ---------------------------------------------------------------------

local function births()
  local mib, cold, warm, sum_cold, sum_warm = 256, {}, {}, {}, {}
  local U = make(mib)
  for i = 1, rounds do
    collectgarbage()
    local V
    cold[i] = measure.seconds(function() V = make(mib) end)
    V:close()
    warm[i] = measure.seconds(function() V = make(mib) end)
    V:close()
    collectgarbage()
    sum_cold[i] = measure.seconds(function() V = U + U end)
    V:close()
    sum_warm[i] = measure.seconds(function() V = U + U end)
    V:close()
  end
  report("256 MiB of ones, fresh memory", cold)
  report("256 MiB of ones, recycled memory", warm)
  report("U + U of 256 MiB, fresh memory", sum_cold)
  report("U + U of 256 MiB, recycled memory", sum_warm)
end

local function temporaries()
  collectgarbage()
  local U, largest = VectorArray.ones(2 ^ 20 | 0, 1), 0
  local V = U + U
  local inplace = measure.times(rounds, function() for _ = 1, 100 do V:axpy(1e-9, U) end end)
  local times = measure.times(rounds, function()
    for _ = 1, 100 do
      local W = U + U
      largest = math.max(largest, select(2, array.blocks()) + array.idle_bytes())
      assert(W.dim == U.dim)
    end
  end)
  report("100 temporaries U + U of 8 MB", times)
  ratio("  to 100 U:axpy in place", times, inplace, "speed of memory: about 1")
  measure.report("  largest memory meanwhile", { largest / 1e6 }, "MB", "< 200")
end

-- --- push ---------------------------------------------------------------------------------------

local function push_alone(pool, arrays)
  local small, times = { 1 }, { {}, {}, {} }
  for i = 1, 3 * rounds do
    for k, object in ipairs { arrays[1], arrays[2], small } do
      sleep()
      local remote
      times[k][i] = measure.seconds(function() remote = pool:push(object) end)
      remote:remove()
    end
  end
  local us = "us"
  for k, mib in ipairs(SIZES) do
    measure.report(("push of %d MiB, workers asleep"):format(mib), scaled(times[k], 1e6), us,
      "< 150")
  end
  measure.report("push of a table with one number, workers asleep", scaled(times[3], 1e6), us)
  ratio("push of 1 GiB to push of 256 MiB", times[2], times[1], "< 1.3")
end

local function read_all(V) return V:norm2()[1] end

local function push_and_read(pool, U, limit, mib)
  local ours, bare = {}, {}
  for _ = 1, 3 do -- in turn
    local program <close> = assert(io.popen(("%s %d %d"):format(limit, mib, rounds)))
    for line in program:lines() do bare[#bare + 1] = tonumber(line) end
    for _ = 1, rounds do
      sleep()
      local start = clock()
      local remote <close> = pool:push(U)
      pool:apply(read_all, remote)
      ours[#ours + 1] = clock() - start
    end
  end
  report(("push of %d MiB, then both workers read all of it"):format(mib), ours)
  report("  two processes read a fresh private mapping each", bare)
  ratio("  neap to the bare limit", ours, bare, "< 1.15")
end

local function copies(pool, mib)
  collect_all(pool)
  local before = footprint(pool)
  local U = make(mib)
  local remote <close> = pool:push(U)
  measure.report(("copies after a push of %d MiB"):format(mib),
    { (footprint(pool) - before) / bytes_of(mib) }, "", "< 1.02")
  pool:apply(read_all, remote)
  measure.report("  after all have read it", { (footprint(pool) - before) / bytes_of(mib) }, "",
    "< 1.02")
  U:close()
end

-- --- scatter, gather, results -------------------------------------------------------------------

local function scatter_and_gather(pool, mib)
  collect_all(pool)
  local before, times, most = footprint(pool), { {}, {} }, 0
  local function look() most = math.max(most, footprint(pool) - before) end
  local U = make(mib)
  for i = 1, rounds do
    sleep()
    local remote
    times[1][i] = measure.seconds(function()
      remote = pool:scatter_array(U, { copy = false })
    end)
    if i == 1 then look() end
    times[2][i] = measure.seconds(function() U = pool:gather_array(remote) end)
    if i == 1 then look() end
    remote:remove()
  end
  look()
  report(("scatter of %d MiB, copy = false"):format(mib), times[1])
  report("  gather", times[2])
  measure.report("  most memory, in arrays", { most / bytes_of(mib) }, "", "< 1.05")
  U:close()
  return times
end

local function results(pool, mib)
  local here_times, there = {}, {}
  for i = 1, rounds do
    collect_all(pool)
    sleep()
    local U
    here_times[i] = measure.seconds(function() U = make(mib) end)
    U:close()
    collect_all(pool)
    sleep()
    there[i] = measure.seconds(function()
      U = pool:apply_only(function(n) return neap.VectorArray.ones(n, 1000) end, 1,
        mib * 2 ^ 17 // 1000 | 0)
    end)
    U:close()
  end
  report(("%d MiB computed by the driver, cold"):format(mib), here_times)
  report("  computed by a worker and returned, cold", there)
  ratio("  worker to driver", there, here_times, "< 1.1")
end

-- --- peers --------------------------------------------------------------------------------------

local PEERS = {
  { "multiprocessing", "%s %s", 1000, 10 },
  { "ipyparallel", "%s %s", 1000, 10 },
  { "mpi", "mpirun --allow-run-as-root --oversubscribe -n 3 %s %s", 1000, 10 },
  { "shared_memory", "%s %s", 500, 4 },
}

-- neap before and after the peer, so that both meet the same neighbours.
local function own_times(pool, U, pushes, reads)
  for _ = 1, peer_rounds do
    sleep()
    local start = clock()
    local remote <close> = pool:push(U)
    pushes[#pushes + 1] = clock() - start
    pool:apply(read_all, remote)
    reads[#reads + 1] = clock() - start
  end
end

local function compare_with(pool, U, peer)
  local name, launch, push_bound, read_bound = table.unpack(peer)
  local command = launch:format(python, here .. "/peers/memory.py")
  local a, b, pushes, reads = {}, {}, {}, {}
  own_times(pool, U, pushes, reads)
  local program <close> = assert(io.popen(("%s %s 256 %d 2>/dev/null"):format(command, name,
    peer_rounds)))
  for line in program:lines() do
    local push, both = line:match("^(%S+) (%S+)$")
    a[#a + 1], b[#b + 1] = tonumber(push), tonumber(both)
  end
  own_times(pool, U, pushes, reads)
  if #a == 0 then
    print(("%-44s not installed, or does not start"):format(name))
  else
    report(name .. ": push of 256 MiB", a)
    ratio("  to neap's push", a, pushes, "> " .. push_bound)
    report(name .. ": push and read", b)
    ratio("  to neap's push and read", b, reads, "> " .. read_bound)
  end
end

local function compare(pool, U)
  for _, peer in ipairs(PEERS) do
    if not arg[3] or arg[3] == peer[1] then compare_with(pool, U, peer) end
  end
end

-- --- all of it ----------------------------------------------------------------------------------

local function measure_own(pool)
  local limit = os.tmpname()
  local has_limit = os.execute(("cc -O3 -o %s %s/memory_limit.c"):format(limit, here))
  copies(pool, 256)
  copies(pool, 1024)
  local arrays = { make(256), make(1024) }
  push_alone(pool, arrays)
  for k, mib in ipairs(SIZES) do
    if has_limit then push_and_read(pool, arrays[k], limit, mib) end
  end
  os.remove(limit)
  arrays[1]:close()
  arrays[2]:close()
  local small, large = scatter_and_gather(pool, 256), scatter_and_gather(pool, 1024)
  ratio("scatter of 1 GiB to scatter of 256 MiB", large[1], small[1], "independent: about 1")
  ratio("gather of 1 GiB to gather of 256 MiB", large[2], small[2], "independent: about 1")
  results(pool, 256)
  collect_all(pool)
end

if not arg[3] then
  births()
  temporaries()
  collectgarbage()
end
local pool <close> = neap.pool { workers = 2 }
if not arg[3] then measure_own(pool) end
if peer_rounds > 0 then compare(pool, make(256)) end
