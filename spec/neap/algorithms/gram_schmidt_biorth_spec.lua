describe("gram_schmidt_biorth", function()
  local neap = require "neap"
  local biorth = require "neap.algorithms.gram_schmidt".gram_schmidt_biorth
  local reference = require "spec.support.reference"
  local VectorArray = neap.VectorArray

  local function check(V, W, product)
    local G = W:inner(V, product)
    for j = 1, #V do
      for i = 1, #V do assert.near(i == j and 1 or 0, G:get(i, j), 1e-12) end
    end
    for _, norm in ipairs(W:norm(product)) do assert.near(1, norm, 1e-14) end
  end

  it("agrees with the reference", function()
    local data = reference.json "gram_schmidt/gram_schmidt.json".biorthonormalization
    local V0 = reference.load("gram_schmidt/" .. data.V)
    local W0 = reference.load("gram_schmidt/" .. data.W)
    local before = V0:to_table()
    local V, W = biorth(V0, W0)
    assert.same(before, V0:to_table())
    check(V, W)
    for i, norm in ipairs(V:norm()) do assert.near(data.norms_V[i], norm, 1e-12 * norm) end
    -- Leading spans are kept: what is left of V0[k] after projection on V[1..k] is nothing.
    for k = 1, #V do
      local rest = V0[k]:copy()
      local coefficients = W:slice(1, k):inner(rest)
      rest:axpy(-1, V:slice(1, k):lincomb(coefficients))
      assert.near(0, rest:norm()[1], 1e-12)
    end
  end)

  it("takes a product, empty arrays, and the arrays themselves", function()
    local product = reference.load "gram_schmidt/product.mtx"
    local V0 = VectorArray.random(221, 4, { seed = 1 })
    local W0 = VectorArray.random(221, 4, { seed = 2 })
    local V, W = biorth(V0, W0, { product = product })
    check(V, W, product)
    local V1, W1 = biorth(V0, W0, { product = product, copy = false })
    assert.equal(V0, V1)
    assert.equal(W0, W1)
    assert.same(V:to_table(), V0:to_table())
    assert.equal(0, #biorth(VectorArray.empty(3), VectorArray.empty(3)))
  end)

  it("refuses what cannot be made biorthogonal", function()
    local e1 = VectorArray.from_table { { 1, 0 } }
    local e2 = VectorArray.from_table { { 0, 1 } }
    assert.error_matches(function() biorth(e1, e2) end,
      "vectors 1 of V and W are orthogonal to each other", 1, true)
    assert.error_matches(function() biorth(VectorArray.zeros(2, 1), e1) end,
      "vector 1 has the norm 0", 1, true)
    assert.error_matches(function() biorth(e1, VectorArray.ones(2, 2)) end,
      "V and W differ in shape: [2, 1] and [2, 2]", 1, true)
    assert.error_matches(function() biorth(e1, 3) end, "W: VectorArray expected, got number", 1,
      true)
    assert.error_matches(function() biorth(e1, e1, { atol = 1 }) end, "unknown option 'atol'", 1,
      true)
  end)
end)
