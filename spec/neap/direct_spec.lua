describe("direct pool", function()
  local neap = require "neap"
  local pool = require "neap.direct".pool

  it("calls on the caller's own objects", function()
    local mus = { 1, 2 }
    local share = pool:scatter_list(mus)
    local results = pool:apply(function(list) return list end, share)
    assert.equal(mus, results[1])
    assert.equal(1, results.n)
    assert.equal(mus, pool:gather_list(share))
    assert.same({ 1, 1, "direct" }, { #pool, pool.workers, pool.transport })
  end)

  it("gives one list for each value, and keeps nil", function()
    local a, b, c = pool:apply(function() return 1, nil, 3 end)
    assert.same({ { n = 1, 1 }, { n = 1 }, { n = 1, 3 } }, { a, b, c })
    assert.same({ n = 1 }, (pool:apply(function() end)))
    assert.equal(7, (pool:apply_only(function(x) return x end, 1, 7)))
    assert.error_matches(function() pool:apply_only(print, 2) end, "worker: 1 expected, got 2", 1,
      true)
  end)

  it("keeps, and forgets what is removed", function()
    local kept = pool:keep(function(x) return { x } end, 5)
    assert.same({ 5 }, kept:get(1))
    assert.same({ n = 1, { 5 } }, kept:get())
    kept:remove()
    kept:remove()
    assert.is_true(kept.removed)
    assert.error_matches(function() kept:get(1) end, "RemoteObject has been removed", 1, true)
    assert.error_matches(function() pool:apply(print, kept) end, "RemoteObject has been removed", 1,
      true)
  end)

  it("empties an array that is scattered with copy = false", function()
    local U = neap.VectorArray.ones(3, 2)
    local one, two = pool:scatter_array(U), pool:scatter_array(U, { copy = false })
    assert.equal(0, #U)
    assert.equal(U, one:get(1))
    assert.equal(2, #pool:gather_array(two))
  end)

  it("maps in the order of the items", function()
    assert.same({ n = 3, 11, 22, 33 },
      (pool:map(function(x, y) return x + y end, { 1, 2, 3 }, { 10, 20, 30 })))
    local sums, products = pool:map(function(x, kw) return x + kw.y, x * kw.y end, { 1, 2 },
      neap.kw { y = 3 })
    assert.same({ { n = 2, 4, 5 }, { n = 2, 3, 6 } }, { sums, products })
    assert.same({ n = 0 }, (pool:map(print, {})))
    assert.equal(6, (pool:reduce(function(x) return x end, { 1, 2, 3 }, function(a, b)
      return a + b
    end)))
    assert.error_matches(function() pool:map(print, { 1 }, { 1, 2 }) end,
      "sequence 2: length 1 expected", 1, true)
  end)
end)
