describe("blas_threads", function()
  local threads = require "host.array".blas_threads

  it("returns the number of threads, and sets it", function()
    local before = threads()
    assert.equal(before, threads(1))
    assert.equal(1, threads(before))
    assert.equal(before, threads())
  end)

  it("refuses what is no number of threads", function()
    assert.error_matches(function() threads(0) end, "positive number expected", 1, true)
    assert.error_matches(function() threads "all" end, "number expected, got string", 1, true)
  end)
end)
