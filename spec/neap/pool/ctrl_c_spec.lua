-- Ctrl-C in every kind of call: spec/support/interrupted_driver.lua makes it, presses, and looks
-- what is left of pool, objects and other calls.
local command = require "spec.support.command"

local function run(call, workers)
  local outcome = command.run(("exec %%neap%% spec/support/interrupted_driver.lua %s %d")
    :format(call, workers))
  assert.equal("", outcome.err)
  assert.equal(0, outcome.code)
  return assert(tonumber(outcome.out:match "(%S+) s\n$"))
end

local CALLS = { "apply", "apply_only", "keep", "map", "reduce", "submit", "apply_async",
  "map_async", "in_between", "wait_any", "wait_all", "stuck_in_lua" }
local WAITING = { "push", "push_array", "scatter_array", "scatter_list", "get", "get_one",
  "gather_array", "gather_list", "apply", "apply_only", "keep", "map", "reduce", "submit" }

describe("Ctrl-C", function()
  for _, kind in ipairs { { "an inline pool", 0 }, { "a pool of 1 process", 1 },
    { "a pool of 2 processes", 2 } } do
    for _, call in ipairs(CALLS) do
      it(("ends %s on %s, which is in step afterwards"):format(call, kind[1]), function()
        run(call, kind[2])
      end)
    end
    for _, call in ipairs(WAITING) do
      it(("ends %s that waits for another on %s"):format(call, kind[1]), function()
        run("behind_" .. call, kind[2])
      end)
    end
  end

  for _, workers in ipairs { 0, 2 } do
    it(("ends the opening of a pool of %d whose setup takes long"):format(workers), function()
      run("open", workers)
    end)
  end

  it("ends a map one of whose items has been taken back from a worker", function()
    run("map_taken_back", 2)
  end)

  it("kills a worker that does not stop in time, and has another in its place", function()
    assert.is_true(run("stuck_in_c", 2) >= 1) -- second: what it may take
  end)

  -- Seconds, the load of the machine included, are no proof but once they are too few.
  local function at_least_once(call, workers)
    local seconds
    for _ = 1, 5 do
      seconds = run(call, workers)
      if seconds < 0.9 then return end
    end
    error(("it takes %.3f s"):format(seconds))
  end

  it("pressed twice waits no longer for a worker that does not stop", function()
    at_least_once("pressed_twice", 2)
  end)

  it("shortens the closing of a pool whose worker does not end, and is raised then", function()
    at_least_once("close", 0)
  end)

  it("pressed again and again ends a script whose inline worker is in C code", function()
    local path = command.write [[
      local neap = require "neap"
      local pool <close> = neap.pool { workers = 0 }
      pool:apply(function()
        return string.rep("a", 60):find(("a*"):rep(60) .. "b") -- for ages
      end)
    ]]
    -- Pressed when it has computed for 30 ticks of 10 ms, which it does nowhere else.
    local outcome = command.run(([[%%neap%% %s & pid=$!
      while read -r line </proc/$pid/stat && [ "$(echo "${line##*) }" | cut -d" " -f12)" -lt 30 ]
      do :; done
      while kill -INT $pid 2>&-; do :; done; wait $pid; exit $?]]):format(path))
    os.remove(path)
    assert.equal(128 + 2, outcome.code, outcome.err) -- SIGINT
  end)
end)
