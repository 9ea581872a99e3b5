describe("training_share", function()
  local training_share = require "neap.algorithms.training_share"

  local function all(shares)
    local mus = {}
    for _, share in ipairs(shares) do
      for _, mu in ipairs(training_share.unpack(share)) do mus[#mus + 1] = mu end
    end
    return mus
  end

  local mus = {}
  for i = 1, 7 do mus[i] = { top = { i }, diffusion = { i / 2, i, -0.5 } } end

  for _, n in ipairs { 1, 2, 6, 7, 8, 20 } do
    it(("gives the parameters back from %d shares, in their order"):format(n), function()
      local shares = training_share.pack(mus, n)
      assert.equal(n, #shares)
      assert.same(mus, all(shares))
      for _, share in ipairs(shares) do
        assert.is_true(share.count == 7 // n or share.count == 7 // n + 1)
      end
    end)
  end

  it("keeps integers and floats apart", function()
    local mu = all(training_share.pack({ { a = { 1, 2.0 } } }, 1))[1]
    assert.equal("integer", math.type(mu.a[1]))
    assert.equal("float", math.type(mu.a[2]))
  end)

  it("takes lists of any length", function()
    local long = {}
    for i = 1, 1000 do long[i] = i + 0.5 end
    assert.same({ { a = long } }, all(training_share.pack({ { a = long } }, 1)))
  end)

  it("leaves alone what has another shape", function()
    local others = {
      { top = { 1 } }, { top = { 1 }, diffusion = { 1, 2 } }, { top = 1, diffusion = { 1, 2, 3 } },
      { top = { 1 }, diffusion = { 1, 2, 3 }, t = 0.5 }, { top = { 1 }, other = { 1, 2, 3 } },
      { top = { "1" }, diffusion = { 1, 2, 3 } }, { top = { 1 }, diffusion = { 1, 2, 3, x = 4 } },
      { top = { 1 }, diffusion = setmetatable({ 1, 2, 3 }, {}) }, 5,
      setmetatable({ top = { 1 }, diffusion = { 1, 2, 3 } }, {}),
    }
    for _, mu in ipairs(others) do
      assert.is_nil(training_share.pack({ mus[1], mu }, 2))
      assert.is_nil((training_share.pack({ mu, mus[1] }, 1)))
    end
    assert.is_nil(training_share.pack({ { [1] = { 1 } } }, 1))
    assert.is_nil(training_share.pack({ { a = {} } }, 1))
  end)
end)
