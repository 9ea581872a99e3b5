describe("mu.evaluate_all", function()
  local mu_ = require "neap.parameters.mu"
  local parameters = require "neap.parameters"
  local Projection = parameters.ProjectionFunctional

  local mus = {}
  for i = 1, 5 do mus[i] = { a = { i, 10 * i }, ["1 of 2: a"] = { -i } } end

  it("gives the values that the functionals give one by one", function()
    local known = {}
    local a1, a2, other = Projection("a", 2, 1), Projection("a", 2, 2), Projection("1 of 2: a")
    local least = parameters.MinThetaFunctional({ a1, a2, 3 }, { a = { 1, 2 } }, 0.5)
    for _, f in ipairs { a1, a2, other, least } do
      local list = mu_.evaluate_all(f, mus, known)
      assert.equal(#mus, #list)
      for i, mu in ipairs(mus) do assert.equal(f(mu), list[i]) end
    end
    assert.same({}, mu_.evaluate_all(a1, {}, {}))
  end)

  it("computes what an equal projection has given only once", function()
    local known = {}
    local list = mu_.evaluate_all(Projection("a", 2, 2), mus, known)
    assert.equal(list, mu_.evaluate_all(Projection("a", 2, 2), mus, known))
    assert.not_equal(list, mu_.evaluate_all(Projection("a", 2, 1), mus, known))
  end)

  it("names the parameter that a mu lacks, and the value that is not positive", function()
    assert.error_matches(function()
      return mu_.evaluate_all(Projection("b"), mus, {})
    end, "mu: parameter 'b' is missing", 1, true)
    assert.error_matches(function()
      return mu_.evaluate_all(Projection("a", 3, 1), mus, {})
    end, "mu: parameter 'a' has 2 components; 3 expected", 1, true)
    local least = parameters.MinThetaFunctional({ Projection("a", 2, 1) }, { a = { 1, 1 } })
    assert.error_matches(function()
      return mu_.evaluate_all(least, { { a = { 0, 1 } } }, {})
    end, "coefficient 1 is 0; positive number expected", 1, true)
  end)
end)
