-- Workers are killed again and again while a driver runs; spec/bench/storm.lua is the long form.
local clock = require "host.clock"
local leaks = require "spec.support.leaks"
local neap = require "neap"
local storm = require "spec.support.storm"

describe("a driver in a storm that kills its workers", function()
  -- A storm in which no worker lives to be ready proves nothing: kills come no faster than
  -- workers start here, sanitizers and the load of the machine included.
  local start = clock.now()
  neap.pool { workers = 3 }:close() -- and the event loop of this process stays
  local opening = clock.now() - start
  leaks.watch(before_each, after_each)

  for _, name in ipairs { "greedy", "arrays", "memory" } do
    it("ends with the bits of a quiet run: " .. name, function()
      local report = storm.weather(storm.jobs[name],
        { kills = 12, least = math.max(0.01, opening), most = math.max(0.1, 4 * opening),
          seed = 3, workers = 3 })
      assert.equal(0, report.differing)
      assert.equal(0, report.leaking)
      assert.is_true(report.deaths >= 12)
    end)
  end
end)
