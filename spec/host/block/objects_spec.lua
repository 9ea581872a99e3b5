-- The memory of small objects of Lua is kept for the next ones.
local command = require "spec.support.command"
local lfs = require "lfs"
local folder = command.neap:match "^(.*)/"
package.cpath = folder .. "/?.so;" .. package.cpath -- for allocator
local allocator = require "allocator"

describe("Lua's memory", function()
  it("keeps what is in it while objects come, grow, shrink and go", function()
    for _, most in ipairs { 1, 16, 24, 40, 264, 265, 300, 2000 } do
      assert.equal(0, allocator.exercise(20000, most))
    end
  end)

  local library = folder .. "/failing.so"
  local has_library = lfs.attributes(library, "mode") == "file" -- not beside the sanitizers
  ;(has_library and it or pending)("of small objects is kept within a bound, and given back",
    function()
      local outcome = command.run(([[
        LD_PRELOAD=%s %%neap%% -e '
          package.cpath = "%s/?.so;" .. package.cpath
          local allocator, live = require "allocator", require "failing".live
          for _, size in ipairs { 8, 100, 264, 280 } do
            collectgarbage()
            local before = live()
            allocator.hold(100000, size)
            local kept = live() - before
            collectgarbage()
            print(size, kept, live() - before < 100)
          end']]):format(command.quote(library), folder))
      assert.equal(0, outcome.code, outcome.err)
      local sizes = {}
      for size, kept, is_back in outcome.out:gmatch "(%d+)\t(%-?%d+)\t(%l+)\n" do
        size, kept = tonumber(size), tonumber(kept)
        sizes[#sizes + 1] = size
        -- One MiB of all, some of which others have; nothing of more than 264 bytes.
        assert.is_true(kept * size <= 1 << 20)
        assert.equal(size <= 264, kept > 1000)
        assert.equal("true", is_back)
      end
      assert.same({ 8, 100, 264, 280 }, sizes)
    end)
end)
