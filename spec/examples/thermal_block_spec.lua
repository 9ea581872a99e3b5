describe("examples/thermal_block.lua", function()
  local command = require "spec.support.command"
  local leaks = require "spec.support.leaks"
  leaks.watch(before_each, after_each)

  it("runs, and leaves two pictures", function()
    local folder, remove = command.folder()
    local run = command.run("%neap% --workers 2 examples/thermal_block.lua " .. folder)
    local pictures = {}
    for _, name in ipairs { "error", "solution" } do
      local file = assert(io.open(("%s/thermal_block_%s.png"):format(folder, name), "rb"))
      pictures[#pictures + 1] = file:read(8)
      file:close()
    end
    remove()
    assert.same({ "", 0 }, { run.err, run.code })
    assert.matches("9941 unknowns, 19683 training parameters, 2 workers (local)", run.out, 1, true)
    -- The first estimate is the dual norm of the right-hand side over the least conductivity.
    assert.matches("    0    1.874462e+00       0.10 0.10 0.10 0.10", run.out, 1, true)
    assert.matches("30 extensions in ", run.out, 1, true)
    assert.same({ "\137PNG\r\n\26\n", "\137PNG\r\n\26\n" }, pictures)
  end)
end)
