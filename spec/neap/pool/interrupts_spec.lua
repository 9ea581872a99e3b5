-- Ctrl-C comes at random moments; spec/bench/interrupts.lua is the long form.
local command = require "spec.support.command"

describe("a pool whose calls are interrupted again and again", function()
  it("answers, and has every object that it had", function()
    local outcome = command.run("%neap% spec/bench/interrupts.lua 50 2 1")
    assert.equal("", outcome.err)
    assert.matches("^50 interrupts", outcome.out)
    assert.equal(0, outcome.code)
  end)
end)
