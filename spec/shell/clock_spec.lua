describe("clock", function()
  it("gives seconds that never go back", function()
    local clock = require "host.clock"
    local last = clock.now()
    for _ = 1, 1000 do
      local now = clock.now()
      assert.is_true(now >= last)
      last = now
    end
    assert.equal("float", math.type(last))
  end)
end)
