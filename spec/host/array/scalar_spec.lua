local neap = require "neap"
local wire = require "host.wire"
local complex = neap.complex

describe("complex numbers", function()
  local i = complex(0, 1)

  local function parts(z) return { z.re, z.im } end

  it("have a real and an imaginary part, 0 when it is not given", function()
    assert.same({ 1.5, -2.0 }, parts(complex(1.5, -2)))
    assert.same({ 3.0, 0.0 }, parts(complex(3)))
    assert.is_nil(i.imaginary)
  end)

  it("are added, subtracted, multiplied, divided and raised, with plain numbers too", function()
    local z, w = complex(3, 4), complex(1, -2)
    assert.equal(complex(4, 2), z + w)
    assert.equal(complex(2, 6), z - w)
    assert.equal(complex(11, -2), z * w)
    assert.equal(complex(-1, 2), z / w)
    assert.equal(complex(-7, 24), z ^ 2)
    assert.equal(complex(-1), i ^ 2)
    assert.equal(1 / z, z ^ -1)
    assert.equal(complex(-3, -4), -z)
    assert.equal(complex(4, 4), 1 + z)
    assert.equal(complex(2, 4), z - 1)
    assert.equal(complex(-2, -4), 1 - z)
    assert.equal(complex(6, 8), 2 * z)
    assert.equal(complex(1.5, 2), z / 2)
    assert.equal(-i, 1 / i)
    local root = complex(-1) ^ 0.5
    assert.near(0, (root - i):abs(), 1e-15) -- an angle of pi / 2, rounded
  end)

  it("have absolute value, angle, conjugate, root and exponential", function()
    local z = complex(3, -4)
    assert.equal(5, z:abs())
    assert.equal(complex(3, 4), z:conj())
    assert.equal(math.pi / 2, i:arg())
    assert.equal(i, complex(-1):sqrt())
    assert.equal(complex(1), complex(0):exp())
    assert.near(0, ((i * math.pi):exp() + 1):abs(), 2e-16) -- pi is rounded
    assert.equal(5e300, complex(3e300, 4e300):abs())
  end)

  it("are equal when both parts are, and never to a plain number", function()
    assert.is_true(complex(1, 2) == complex(1, 2))
    assert.is_false(complex(1, 2) == complex(1, 3))
    assert.is_false(complex(1) == 1)
    assert.is_true(complex(0, 0) == complex(-0.0, 0))
    assert.is_false(complex(0 / 0) == complex(0 / 0))
    assert.is_false(i == neap.Matrix.zeros(1, 1))
  end)

  it("keep infinities apart from NaN in products", function()
    local z = complex(0, 1) * complex(math.huge, 0)
    assert.equal(math.huge, z:abs())
  end)

  it("show both parts", function()
    assert.equal("1.5-2i", tostring(complex(1.5, -2)))
    assert.equal("0+1i", tostring(i))
    assert.equal("nan-infi", (tostring(complex(0 / 0, -math.huge)):gsub("^-", "")))
  end)

  it("refuse what is no number, and to be changed", function()
    assert.error_matches(function() complex("x") end, "number expected, got string")
    assert.error_matches(function() complex() end, "number expected, got no value")
    assert.error_matches(function() return i + {} end,
      "cannot combine a complex number and a table by add", 1, true)
    assert.error_matches(function() return i * "x" end,
      "cannot combine a complex number and a string by mul", 1, true)
    assert.error_matches(function() return "2" - i end,
      "cannot combine a complex number and a string by sub", 1, true)
    assert.error_matches(function() i.re = 1 end,
      "complex numbers do not change: field 're' cannot be set", 1, true)
    assert.error_matches(function() return i < i end, "attempt to compare two neap.complex values")
    assert.error_matches(function() i.abs(1) end, "neap.complex expected, got number")
  end)

  it("leave arithmetic with other things to those", function()
    local other = setmetatable({}, { __mul = function(a, b) return { a, b } end })
    local product = i * other
    assert.equal(i, product[1])
    assert.equal(other, product[2])
  end)

  it("cross to workers with their bits", function()
    local z, w = complex(0.1, -0.0), complex(math.huge, -math.huge)
    local list, again = wire.decode(wire.encode({ z, w, z }, z))
    assert.equal(z, list[1])
    assert.equal(w, list[2])
    assert.equal(z, again)
    assert.equal(-math.huge, 1 / again.im)
    local pool <close> = neap.pool { workers = 1 }
    assert.equal(complex(-1, 0.1), pool:apply_only(function(x) return x * neap.complex(0, 1) end, 1,
      complex(0.1, 1)))
  end)
end)
