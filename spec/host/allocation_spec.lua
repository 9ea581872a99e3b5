-- The k-th request for memory fails, for every k: spec/support/failing_driver.lua says what runs.
local command = require "spec.support.command"
local lfs = require "lfs"

local library = command.neap:match "^(.*)/" .. "/failing.so"
local has_mat = lfs.attributes(command.neap:match "^(.*)/" .. "/neap_mat.so") ~= nil
local is_there = lfs.attributes(library, "mode") == "file" -- not beside the sanitizers

describe("when memory fails at any request, raising and leaving nothing behind", function()
  for _, name in ipairs { "vectorarray", "matrix", "complex", "sparse", "encode", "decode",
                          "files", "mat", "inline_calls", "calls", "inline_futures", "futures",
                          "inline_open", "open" } do
    local runs = is_there and (name ~= "mat" or has_mat)
    ;(runs and it or pending)(name, function()
      local outcome = command.run(("LD_PRELOAD=%s %%neap%% spec/support/failing_driver.lua %s")
        :format(command.quote(library), name))
      assert.equal(0, outcome.code, outcome.err)
      assert.matches(name .. ": %d+ requests, %d+ refused\n", outcome.out)
    end)
  end
end)
