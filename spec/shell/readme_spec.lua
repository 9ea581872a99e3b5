-- What the README shows is run.
local command = require "spec.support.command"

describe("the README", function()
  it("shows drivers that run", function()
    local file <close> = assert(io.open "README.md")
    local n = 0
    for code in file:read "a":gmatch "```lua\n(.-)```" do
      local script = command.write(code)
      local outcome = command.run("%neap% " .. script)
      os.remove(script)
      assert.equal("", outcome.err)
      assert.matches("^VectorArray 1861 x 20\n1\t%d+\t%d", outcome.out)
      n = n + 1
    end
    assert.equal(1, n)
  end)
end)
