describe("parameters", function()
  local parameters = require "neap.parameters"
  local numbers = require "spec.support.numbers"

  describe("mu", function()
    it("reads a number as a list of one, but the time as a number", function()
      assert.same({ top = { 3 }, t = 0.5 }, parameters.parse { top = 3, t = 0.5 })
    end)

    it("stays the caller's table where nothing is to change", function()
      local mu = { diffusion = { 1, 2 } }
      assert.equal(mu, parameters.parse(mu))
      local short = { top = 3 }
      parameters.parse(short)
      assert.same({ top = 3 }, short)
      assert.is_nil(parameters.parse(nil))
    end)

    it("refuses what is no value", function()
      assert.error_matches(function() parameters.parse(3) end,
        "mu: table from names to lists expected, got number", 1, true)
      assert.error_matches(function() parameters.parse { a = "b" } end,
        "mu: 'a' is a string; number or list of numbers expected", 1, true)
    end)
  end)

  describe("ProjectionFunctional", function()
    local theta = parameters.ProjectionFunctional("diffusion", 3, 2)

    it("takes one component", function()
      assert.equal(5, theta { diffusion = { 4, 5, 6 } })
      assert.equal(5, theta:evaluate { diffusion = { 4, 5, 6 } })
      assert.equal(1.0, theta:d_mu("diffusion", 2))
      assert.equal(0.0, theta:d_mu("diffusion", 1))
      assert.equal(0.0, theta:d_mu("other", 2))
    end)

    it("names a parameter that is missing or has another size", function()
      assert.error_matches(function() theta { conductivity = { 1, 2, 3 } } end,
        "mu: parameter 'diffusion' is missing", 1, true)
      assert.error_matches(function() theta { diffusion = { 1, 2 } } end,
        "mu: parameter 'diffusion' has 2 components; 3 expected", 1, true)
    end)

    it("checks its arguments", function()
      local P = parameters.ProjectionFunctional
      assert.error_matches(function() P(1, 2, 3) end, "name: string expected, got number", 1, true)
      assert.error_matches(function() P("a", 0, 1) end, "size: positive integer expected, got 0",
        1, true)
      assert.error_matches(function() P("a", 2, 3) end, "i: integer from 1 to 2 expected, got 3",
        1, true)
    end)
  end)

  it("evaluates a MinThetaFunctional", function()
    local P = parameters.ProjectionFunctional
    local alpha = parameters.MinThetaFunctional({ P("a", 2, 1), P("a", 2, 2), 1.0 },
      { a = { 2, 4 } }, 0.5)
    assert.equal(0.5 * 0.25, alpha { a = { 1, 1 } }) -- ratios 1/2, 1/4, 1
    assert.equal(0.5, alpha { a = { 2, 40 } })
    assert.error_matches(function() alpha { a = { 0, 1 } } end,
      "coefficient 1 is 0; positive number expected", 1, true)
    assert.error_matches(function()
      parameters.MinThetaFunctional({ P("a", 1, 1) }, { a = { -1 } })
    end, "thetas: coefficient 1 is -1 for mu_bar; positive expected", 1, true)
    assert.error_matches(function() parameters.MinThetaFunctional({}, {}) end,
      "thetas: non-empty list expected", 1, true)
  end)

  it("differentiates a Functional", function()
    local f = parameters.Functional(function(mu) return mu.a[1] ^ 2 * mu.a[2] end,
      { a = { function(mu) return 2 * mu.a[1] * mu.a[2] end } })
    assert.equal(18, f { a = { 3, 2 } })
    assert.equal(12, f:d_mu("a", 1) { a = { 3, 2 } })
    assert.equal(0.0, f:d_mu("b", 1))
    assert.error_matches(function() f:d_mu("a", 2) end, "no derivative with respect to 'a[2]'",
      1, true)
  end)

  describe("ParameterSpace", function()
    local space = parameters.ParameterSpace({ b = 1, a = 2 }, { a = { 0, 1 }, b = { 10, 20 } })

    it("samples a grid with both ends, names in order, the last component fastest", function()
      local mus = space:sample_uniformly { a = 2, b = 3 }
      assert.equal(12, #mus)
      assert.same({ a = { 0, 0 }, b = { 10 } }, mus[1])
      assert.same({ a = { 0, 0 }, b = { 15 } }, mus[2])
      assert.same({ a = { 0, 0 }, b = { 20 } }, mus[3])
      assert.same({ a = { 0, 1 }, b = { 10 } }, mus[4])
      assert.same({ a = { 1, 1 }, b = { 20 } }, mus[12])
      assert.same({ { a = { 0, 0 }, b = { 10 } } }, space:sample_uniformly(1))
    end)

    it("never leaves the range by rounding", function()
      local narrow = parameters.ParameterSpace({ x = 1 }, { 0.1, 0.3 })
      for n = 1, 50 do
        for _, mu in ipairs(narrow:sample_uniformly(n)) do
          assert.is_true(narrow:contains(mu))
        end
        for _, mu in ipairs(narrow:sample_logarithmic_uniformly(n)) do
          assert.is_true(narrow:contains(mu))
        end
      end
    end)

    it("samples uniformly in the logarithm", function()
      local s = parameters.ParameterSpace({ x = 1 }, { 1e-2, 1e2 })
      local found = {}
      for i, mu in ipairs(s:sample_logarithmic_uniformly(5)) do found[i] = mu.x[1] end
      assert.is_true(numbers.worst({ 1e-2, 1e-1, 1, 10, 100 }, found, 1e-14) <= 1)
      assert.error_matches(function() space:sample_logarithmic_uniformly(2) end,
        "ranges: 'a' starts at 0; a logarithmic sample needs positive bounds", 1, true)
    end)

    it("gives the same random values for the same seed, and leaves math.random alone", function()
      math.randomseed(7)
      local expected = math.random()
      math.randomseed(7)
      local one, two = space:sample_randomly(5, 3), space:sample_randomly(5, 3)
      assert.equal(expected, math.random())
      assert.same(one, two)
      assert.is_not.same(one, space:sample_randomly(5, 4))
      assert.same({}, space:sample_randomly(0, 1))
      local sum = 0
      for _, mu in ipairs(space:sample_randomly(1000, 1)) do
        assert.is_true(space:contains(mu))
        sum = sum + mu.b[1]
      end
      assert.near(15, sum / 1000, 0.5) -- five standard deviations of the mean
    end)

    it("knows what it contains", function()
      assert.is_true(space:contains { a = { 0, 1 }, b = 10 })
      assert.is_false(space:contains { a = { 0, 1.1 }, b = 10 })
      assert.is_false(space:contains { a = { 0 }, b = 10 })
      assert.is_false(space:contains { a = { 0, 1 } })
      assert.is_false(space:contains { a = { 0, 0 / 0 }, b = 10 })
    end)

    it("checks its arguments", function()
      local P = parameters.ParameterSpace
      assert.error_matches(function() P({ a = 1 }, { 2, 1 }) end,
        "ranges: {lo, hi} with lo <= hi expected for 'a'", 1, true)
      assert.error_matches(function() P({ a = -1 }, { 0, 1 }) end,
        "parameters: 'a' = -1; name and number of components expected", 1, true)
      assert.error_matches(function() P("a", { 0, 1 }) end,
        "parameters: table from names to sizes expected, got string", 1, true)
      assert.error_matches(function() space:sample_uniformly(0) end,
        "n: positive integer expected for '[ab]', got 0")
      assert.error_matches(function() space:sample_randomly(-1) end,
        "n: integer from 0 expected, got -1", 1, true)
    end)
  end)

  it("refuse a grid that no memory holds, by its number", function()
    local space = parameters.ParameterSpace({ a = 4, b = 1 }, { a = { 0.1, 1 }, b = { 1, 2 } })
    for _, sample in ipairs { space.sample_uniformly, space.sample_logarithmic_uniformly } do
      require "spec.support.refusals".in_line("n: the grid would have 1000000000000000 parameter "
        .. "values, at most 16777216 can be made; sample_randomly?", function()
          local mus = sample(space, 1000) return mus
        end)
      assert.equal(32, #sample(space, 2))
    end
    assert.equal("ParameterSpace(a[4] in [0.1, 1], b in [1, 2])", tostring(space))
  end)
end)
