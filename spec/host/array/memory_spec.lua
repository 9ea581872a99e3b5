--- How often the collector runs for arrays that nobody refers to any more.
describe("a loop of temporary arrays", function()
  local command = require "spec.support.command"

  -- Prints the most bytes that blocks took at once, in MiB: one temporary has 8 kB.
  local function most(before)
    local got = command.run(([[%%neap%% -e "local array = require 'host.array'
      %s
      local U, most = array.VectorArray.zeros(100, 10), 0
      for _ = 1, 20000 do
        local W = U + U
        local _, bytes = array.blocks()
        if bytes > most then most = bytes end
      end
      print(most / 0x1p20)"]]):format(before))
    assert.equal("", got.err)
    return tonumber(got.out)
  end

  it("stays in a cache while the Lua heap is small", function()
    assert.is_true(most "" < 8)
  end)

  it("stays in a cache also where the arrays are small", function()
    local got = command.run([[%neap% -e "local array = require 'host.array'
      local U, most = array.VectorArray.zeros(10, 10), 0
      for _ = 1, 200000 do
        local W = U:gramian()
        local n = array.blocks()
        if n > most then most = n end
      end
      print(most)"]])
    assert.equal("", got.err)
    assert.is_true(tonumber(got.out) < 5000) -- some 2700 and what Lua adds; and not ever more
  end)

  it("runs the collector less often where a cycle takes longer", function()
    local mib = most "heap = {} for i = 1, 1e5 do heap[i] = { i } end"
    assert.is_true(mib > 16 and mib < 72)
  end)

  it("goes on growing while the script has stopped the collector", function()
    assert.is_true(most "collectgarbage 'stop'" > 150)
  end)
end)
