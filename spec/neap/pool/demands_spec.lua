-- What users of other systems suffer from, demand by demand: shown here, or in the spec that is
-- named here.
local clock = require "host.clock"
local leaks = require "spec.support.leaks"
local neap = require "neap"

-- Demand -> file below spec, and the title of a spec in it, or the part of one that stands there.
local elsewhere = {
  ["demand 2: a worker that raises answers like any other, and the pool is in step"] =
    { "neap/pool/rules_spec.lua", "is good after any error" },
  ["demand 3: what was pushed or scattered is there again after a death"] =
    { "neap/pool/recovery_spec.lua", "brings pushed, scattered and kept objects back" },
  ["demand 4: what had finished is in the error"] =
    { "neap/pool/map_spec.lua", "keeps what had finished in the error" },
  ["demand 4: so is which items failed, and which are pending"] =
    { "neap/pool/map_spec.lua", "lists in the error which items failed, and which have brought" },
  ["demand 4: errors are collected"] =
    { "neap/pool/on_error_spec.lua", "lose nothing that had finished, in the same chunk neither" },
  ["demand 4: a run survives its driver, by its checkpoints"] =
    { "neap/algorithms/greedy_spec.lua", "resumes after the run was killed in the middle" },
  ["demand 5: random numbers depend on seed, call and item only"] =
    { "neap/pool/map_spec.lua", "draws random numbers that depend on seed, call and item only" },
  ["demand 5: so do random arrays"] =
    { "neap/pool/map_spec.lua", "draws the same random arrays whatever the number of workers" },
  ["demand 6: one contract for every kind of pool"] =
    { "support/pools.lua", 'kind("an inline pool", 0),' },
  ["demand 6: algorithms have the same bits without a pool and with any"] =
    { "neap/algorithms/greedy_spec.lua", "gives the same bits with %d workers" },
  ["demand 7: shares differ by at most one"] =
    { "neap/pool/objects_spec.lua", "gives parts that differ by at most one, in order" },
  ["demand 7: workers may get nothing"] =
    { "neap/pool/objects_spec.lua", "also when workers got nothing" },
  ["demand 10: Ctrl-C stops the call on all workers, a second one kills"] =
    { "neap/pool/ctrl_c_spec.lua", "pressed twice waits no longer for a worker" },
  ["demand 11: interrupts lose neither pool nor objects"] =
    { "neap/pool/interrupts_spec.lua", "answers, and has every object that it had" },
  ["demand 12: no worker outlives its driver"] =
    { "neap/pool/driver_spec.lua", "are gone within a second after SIG" },
  ["demand 13: closures bring their upvalues, shared ones shared"] =
    { "neap/pool/functions_spec.lua", "bring their upvalues, shared ones shared" },
  ["demand 13: they may be recursive"] =
    { "neap/pool/functions_spec.lua", "may call themselves and each other" },
  ["demand 14: what cannot cross is named with its path, before anything is sent"] =
    { "neap/pool/functions_spec.lua", "is refused with its path, before anything is sent" },
  ["demand 15: a call that carries much is worth a warning"] =
    { "neap/pool/output_spec.lua", "is worth a warning, once for each place, that names the" },
  ["demand 15: explain shows it beforehand"] =
    { "neap/pool/functions_spec.lua", "lists what would be sent, the heaviest first" },
  ["demand 19: three ways to free, counted exactly"] =
    { "neap/pool/objects_spec.lua", "are pushed once, whatever the order of removal" },
  ["demand 19: no finalizer waits for a worker"] =
    { "neap/pool/rules_spec.lua", "collects handles while its workers are busy, and waits for" },
  ["demand 19: a superseded basis is gone"] =
    { "neap/algorithms/greedy_spec.lua", "leaves no basis on the workers that another has taken" },
  ["demand 20: every way to end closes the pool, with the script's own exit code"] =
    { "neap/pool/driver_spec.lua", "leaves no worker, and keeps its exit code" },
  ["demand 21: the error of a death says who, where, of what and with which last words"] =
    { "neap/pool/died_spec.lua", "has its last lines of standard error, and the last line of Lua" },
  ["demand 23: what kills its worker is tried again as often as asked, then named"] =
    { "neap/pool/died_spec.lua", "does so %d times in chunks of %d, and is named" },
  ["demand 24: tracebacks of worker and caller are joined"] =
    { "neap/pool/rules_spec.lua", "joins the tracebacks of worker and caller, without frames" },
  ["demand 24: equal errors are one"] =
    { "neap/pool/on_error_spec.lua", "is said once where several have failed in the same way" },
  ["demand 26: messages are bounded"] =
    { "neap/pool/scheduling_spec.lua", "has a bounded part of a long map on its way" },
  ["demand 26: schedule and chunk are there on request"] =
    { "neap/pool/map_spec.lua", "cuts statically or in chunks on request" },
  ["demand 28: output comes as whole lines, before the call returns"] =
    { "neap/pool/output_spec.lua", "is there when the call returns, also a line without an end" },
  ["demand 28: that of C code and of one that died too"] =
    { "neap/pool/output_spec.lua", "holds what commands and C code print" },
  ["demand 29: a timeout frees the worker and says which item it was"] =
    { "neap/pool/recovery_spec.lua", "ends an item that takes too long, and names it" },
  ["demand 30: a pool of a worker is inline"] =
    { "neap/pool/life_spec.lua", "is inline on a worker" },
  ["demand 31: no worker loads the user's script"] =
    { "neap/pool/rules_spec.lua", "runs once, wherever its pool is opened" },
  ["demand 42: bytes that lie are errors"] =
    { "host/wire/malformed_spec.lua", "it(" },
}

describe("demands that other specs show:", function()
  for name, where in pairs(elsewhere) do
    it(name, function()
      local file <close> = assert(io.open("spec/" .. where[1]))
      local text = file:read "a"
      assert.is_truthy(text:find(where[2], 1, true))
    end)
  end
end)

describe("demand 1: a worker that is killed is noticed within a second in", function()
  local VectorArray = neap.VectorArray
  local function array() return VectorArray.ones(100000, 8) end
  local calls = {
    push = function(pool) return pool:push { array() }:get(1) ~= nil end,
    scatter_array = function(pool)
      return pool:gather_array(pool:scatter_array(array())).dim == 100000
    end,
    scatter_list = function(pool) return pool:scatter_list { 1, 2, 3 }:get(2)[1] == 3 end,
    apply = function(pool) return pool:apply(function() return 1 end)[1] == 1 end,
    apply_only = function(pool) return pool:apply_only(function() return 1 end, 1) == 1 end,
    keep = function(pool) return pool:keep(function() return 1 end):get(1) == 1 end,
    map = function(pool)
      return pool:map(function(i) return i end, neap.range(1, 100))[100] == 100
    end,
    reduce = function(pool)
      return pool:reduce(function(i) return i end, neap.range(1, 10),
        function(a, b) return a + b end) == 55
    end,
    submit = function(pool) return pool:submit(function() return 1 end):get() == 1 end,
    close = function(pool) pool:close() return true end,
  }
  neap.pool { workers = 1 }:close()
  leaks.watch(before_each, after_each)
  for name, call in pairs(calls) do
    it(name, function()
      local pool <close> = neap.pool { workers = 2 }
      local start = clock.now()
      pool:kill(1)
      assert.is_true(call(pool))
      if name ~= "close" then
        pool:kill(2)
        assert.is_true(call(pool))
      end
      assert.is_true(clock.now() - start < 2)
      collectgarbage()
    end)
  end
end)

describe("workers", function()
  it("demand 8: have as many threads of BLAS as asked, before it is loaded, and say so", function()
    local pool <close> = neap.pool { workers = 2, blas_threads = 2 }
    assert.equal(2, pool:status()[1].blas_threads)
    for _, name in ipairs { "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS" } do
      assert.same({ "2", "2", n = 2 }, pool:apply(os.getenv, name))
    end
    local other <close> = neap.pool { workers = 1 }
    assert.equal("1", other:apply(os.getenv, "OPENBLAS_NUM_THREADS")[1])
  end)

  it("demand 9: are programs of their own, not copies of the driver", function()
    local pool <close> = neap.pool { workers = 1 }
    local file <close> = assert(io.open(("/proc/%d/cmdline"):format(pool:status()[1].pid), "rb"))
    assert.matches("\0--worker\0", file:read "a", 1, true)
  end)

  it("demand 18: leave no shared memory, however they end", function()
    neap.pool { workers = 1 }:close()
    local before = leaks.snapshot()
    do
      local pool <close> = neap.pool { workers = 2 }
      local remote <close> = pool:push(neap.VectorArray.ones(100000, 4))
      pool:kill(1)
      pool:kill(2, 11)
      assert.equal(4, #remote:get(1))
    end
    assert.same({}, leaks.since(before))
  end)

  it("demand 22: are replaced under their numbers, as often as they die", function()
    local pool <close> = neap.pool { workers = 2 }
    for i = 1, 30 do
      pool:kill(i % 2 + 1)
      assert.same({ i, i, n = 2 }, pool:apply(function(n) return n end, i))
      assert.equal(2, #pool)
    end
    assert.equal(2, pool:status()[2].worker)
  end)
end)
