require "spec.support.arrays"
local neap = require "neap"
local wire = require "host.wire"
local Matrix, SparseMatrix, VectorArray = neap.Matrix, neap.SparseMatrix, neap.VectorArray
local complex = neap.complex

local nan, inf = 0 / 0, math.huge
local i = complex(0, 1)

local function raises(text, f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  assert.is_truthy(tostring(message):find(text, 1, true), tostring(message))
end

-- The complex vectors as real ones of twice the length: products of a real matrix
-- [[Re, -Im], [Im, Re]] stand for those of the complex one.
local function parts(U) return U:real(), U:imag() end

describe("complex VectorArray", function()
  local U, V -- entries are small integers, so that all sums are exact
  before_each(function()
    U = VectorArray.from_table { { complex(1, 2), 3 }, { complex(0, -1), complex(2, 1) } }
    V = VectorArray.from_table { { 1, complex(1, 1) }, { complex(2, 0), complex(-1, 3) } }
  end)

  describe("constructors", function()
    it("make complex arrays on demand", function()
      for _, Z in ipairs { VectorArray.zeros(3, 2, { complex = true }),
                           VectorArray.full(0, 3, 2, { complex = true }),
                           VectorArray.full(complex(0), 3, 2) } do
        assert.is_true(Z.is_complex)
        assert.equal("VectorArray 3 x 2, complex", tostring(Z))
        assert.equal(complex(0, 0), Z:get(3, 2))
      end
      assert.equal(complex(1), VectorArray.ones(1, 1, { complex = true }):get(1, 1))
      assert.equal(complex(1, 2), VectorArray.full(complex(1, 2), 2, 2):get(2, 2))
      assert.is_true(VectorArray.empty(3, { complex = true, reserve = 2 }).is_complex)
      assert.is_false(VectorArray.zeros(3, 2).is_complex)
      assert.is_false(VectorArray.ones(3, 2, { complex = false }).is_complex)
      raises("option complex: boolean expected, got number",
        VectorArray.zeros, 1, 1, { complex = 1 })
      raises("unknown option 'komplex'", VectorArray.ones, 1, 1, { komplex = true })
      raises("number expected, got string", VectorArray.full, "x", 1, 1)
    end)

    it("become complex where an entry is", function()
      assert.is_true(U.is_complex)
      assert.equal(complex(3), U:get(2, 1))
      assert.equal(complex(2, 1), U:get(2, 2))
      local W = VectorArray.from_function(2, 2, function(k, j) return k == j and j * i or k end)
      assert.close_arrays({ { i, 2 }, { 1, 2 * i } }, W)
      raises("entry 1 of vector 1: number expected, got string",
        VectorArray.from_table, { { "i" } })
    end)

    it("draw both parts", function()
      local W = VectorArray.random(100, 2, { complex = true, seed = 3, low = -1, high = 1 })
      local re, im = parts(W)
      assert.is_true(re:sup_norm()[1] <= 1 and im:sup_norm()[1] <= 1)
      assert.is_true(re:sup_norm()[1] > 0.9 and im:sup_norm()[1] > 0.9)
      assert.is_false(re:almost_equal(im))
      assert.close_arrays(W[1], VectorArray.random(100, 1, { complex = true, seed = 3, low = -1 }))
      local normal = VectorArray.random(1, 1, { complex = true, distribution = "normal" })
      assert.is_true(normal.is_complex)
    end)

    it("concatenate real and complex arrays", function()
      local R = VectorArray.from_table { { 5, 6 } }
      assert.close_arrays({ { 5, 6 }, { complex(1, 2), 3 }, { -i, complex(2, 1) }, { 5, 6 } },
        VectorArray.cat { R, U, R })
      assert.is_false(VectorArray.cat({ R, R }).is_complex)
    end)
  end)

  it("consist of real and imaginary parts", function()
    local re, im = parts(U)
    assert.is_false(re.is_complex)
    assert.close_arrays({ { 1, 3 }, { 0, 2 } }, re)
    assert.close_arrays({ { 2, 0 }, { -1, 1 } }, im)
    assert.close_arrays({ { complex(1, -2), 3 }, { i, complex(2, -1) } }, U:conj())
    assert.close_arrays(U, re + i * im)
    assert.close_arrays({ { 0, 2 } }, U[{ 2 }]:real()) -- of views
    local R = VectorArray.from_table { { 5, 6 } }
    assert.close_arrays(R, R:real())
    assert.close_arrays(R, R:conj())
    assert.close_arrays({ { 0, 0 } }, R:imag())
    assert.is_false(R:conj().is_complex)
    R:real():set(1, 1, 7) -- copies
    assert.equal(5, R:get(1, 1))
    assert.equal(0, #VectorArray.empty(3, { complex = true }):real())
  end)

  it("are promoted in place by what is complex, through views too", function()
    local R = VectorArray.from_table { { 1, 2 }, { 3, 4 } }
    local view, whole = R[2], R:copy()
    view:scal(i)
    assert.is_true(R.is_complex)
    assert.is_true(view.is_complex)
    assert.close_arrays({ { 1, 2 }, { 3 * i, 4 * i } }, R)
    assert.is_false(whole.is_complex)
    whole:set(1, 2, complex(3, 1))
    assert.close_arrays({ { 1, 2 }, { complex(3, 1), 4 } }, whole)
    R = VectorArray.from_table { { 1, 2 }, { 3, 4 } }
    R:axpy({ 1, i }, R)
    assert.close_arrays({ { 2, 4 }, { complex(3, 3), complex(4, 4) } }, R)
    R = VectorArray.from_table { { 1, 2 } }
    R:axpy(2, U[1])
    assert.close_arrays({ { complex(3, 4), 8 } }, R)
    R = VectorArray.from_table { { 1, 2 } }
    R:append(U)
    assert.close_arrays({ { 1, 2 }, { complex(1, 2), 3 }, { -i, complex(2, 1) } }, R)
    U:append(VectorArray.from_table { { 7, 8 } }, { remove_from_other = true })
    assert.close_arrays({ 7, 8 }, U[3])
    local frozen = VectorArray.ones(1, 1):freeze()
    raises("VectorArray is frozen", frozen.scal, frozen, i)
    raises("VectorArray is frozen", frozen.set, frozen, 1, 1, i)
    assert.is_false(frozen.is_complex)
  end)

  it("stay what they are where a call is refused", function()
    local R = VectorArray.ones(2, 2)
    raises("list of 2 numbers expected, got 1", R.scal, R, { i })
    raises("entry 2: number expected, got boolean", R.scal, R, { i, true })
    raises("dimension 2 expected, got 3", R.axpy, R, i, VectorArray.ones(3, 2))
    raises("occurs twice", function() R[{ 1, 1 }]:scal(i) end)
    raises("out of range", R.set, R, 3, 1, i)
    assert.is_false(R.is_complex)
  end)

  it("are added, subtracted and multiplied, with real ones too", function()
    local R = VectorArray.from_table { { 1, 1 } }
    assert.close_arrays({ { complex(2, 2), complex(4, 1) }, { complex(2, -1), complex(1, 4) } },
      U + V)
    assert.close_arrays({ { complex(0, 2), 2 }, { complex(-1, -1), complex(1, 1) } }, U - R)
    assert.close_arrays({ complex(0, -2), -2 }, R - U[1])
    assert.close_arrays({ { complex(-2, 1), 3 * i }, { 1, complex(-1, 2) } }, i * U)
    assert.close_arrays(i * U, U * i)
    assert.close_arrays({ i, i }, R * i)
    assert.is_false(R.is_complex)
    assert.close_arrays({ { complex(-1, -2), -3 }, { i, complex(-2, -1) } }, -U)
    assert.close_arrays(U * 2, 2 * U)
    U:axpy(complex(1, 1), U:slice(2, 1, -1)) -- the right-hand side counts as it was
    assert.close_arrays({ { complex(2, 1), complex(4, 3) }, { complex(-1, 2), complex(5, 4) } }, U)
  end)

  it("have inner products that conjugate the first argument", function()
    -- U1 = (1 + 2i, 3), V1 = (1, 1 + i): conj(1 + 2i) + 3 (1 + i) = 4 + i
    assert.close_arrays({ { complex(4, 1), complex(-1, 5) }, { complex(3, 2), complex(1, 9) } },
      U:inner(V))
    assert.close_arrays({ { 14, complex(4, 2) }, { complex(4, -2), 6 } }, U:gramian())
    assert.equal(0, U:gramian():get(1, 1).im)
    assert.close_arrays(U:inner(V):H(), V:inner(U))
    local products = U:pairwise_inner(V)
    assert.equal(complex(4, 1), products[1])
    assert.equal(complex(1, 9), products[2])
    local R = VectorArray.from_table { { 2, 1 } }
    assert.close_arrays({ { complex(5, 4), complex(2, -1) } }, R:inner(U))
    assert.close_arrays({ { complex(5, -4) }, { complex(2, 1) } }, U:inner(R))
    assert.equal("Matrix 0 x 2, complex", tostring(U[{}]:inner(U)):match("^[^\n]*"))
  end)

  it("agree with real arrays of twice the length, of all sizes", function()
    for _, size in ipairs { { 1, 1, 1 }, { 7, 3, 2 }, { 100, 10, 10 }, { 1000, 3, 4 } } do
      local dim, m, n = table.unpack(size)
      local A = VectorArray.random(dim, m, { complex = true, seed = 1, low = -1 })
      local B = VectorArray.random(dim, n, { complex = true, seed = 2, low = -1 })
      local ar, ai = parts(A)
      local br, bi = parts(B)
      local tolerance = (2 * dim) ^ 2 * 2 ^ -52 -- a sum of 2 dim products below 1
      local inner = A:inner(B)
      assert.close_arrays(ar:inner(br) + ai:inner(bi), inner:real(), tolerance)
      assert.close_arrays(ar:inner(bi) - ai:inner(br), inner:imag(), tolerance)
      assert.close_arrays(A:inner(A), A:gramian(), tolerance)
      local norms, both = A:norm(), VectorArray.cat { ar, ai }
      for j, norm in ipairs(norms) do
        assert.near(math.sqrt(both:norm2()[j] + both:norm2()[m + j]), norm, tolerance)
      end
      for j, z in ipairs(A:pairwise_inner(A)) do
        assert.near(A:norm2()[j], z.re, tolerance)
        assert.near(0, z.im, tolerance)
      end
      local C = Matrix.from_table((function()
        local rows = {}
        for k = 1, m do rows[k] = { complex(k, -1), k, complex(0, 1 / k) } end
        return rows
      end)())
      local W = A:lincomb(C)
      assert.close_arrays(ar:lincomb(C:real()) - ai:lincomb(C:imag()), W:real(), tolerance + 1e-13)
      assert.close_arrays(ar:lincomb(C:imag()) + ai:lincomb(C:real()), W:imag(), tolerance + 1e-13)
    end
  end)

  it("combine linearly by complex and real coefficients", function()
    local R = VectorArray.from_table { { 1, 0 }, { 0, 1 } }
    assert.close_arrays({ i, 2 }, R:lincomb { i, 2 })
    assert.close_arrays({ { i, 0 }, { 1, 2 * i } },
      R:lincomb(Matrix.from_table { { i, 1 }, { 0, 2 * i } }))
    assert.close_arrays({ complex(1, 0), complex(7, 2) }, U:lincomb { 1, 2 })
    assert.close_arrays({ complex(-1, 1), complex(-1, 5) }, U:lincomb { i, i })
    assert.equal("VectorArray 2 x 3, complex",
      tostring(U[{}]:lincomb(Matrix.zeros(0, 3))))
    raises("Matrix of 2 rows expected, got 1", U.lincomb, U, Matrix.identity(1, { complex = true }))
  end)

  it("take products that are Hermitian", function()
    local H = Matrix.from_table { { 2, i }, { -i, 3 } }
    local S = SparseMatrix.from_triplets(2, 2, { 1, 1, 2, 2 }, { 1, 2, 1, 2 }, { 2, i, -i, 3 })
    local real = SparseMatrix.from_triplets(2, 2, { 1, 2 }, { 1, 2 }, { 2, 3 })
    for _, product in ipairs { H, S } do
      -- U1 = (1 + 2i, 3): 2 * 5 + 3 * 9 + 2 Re(conj(1 + 2i) 3i) = 49
      assert.near(49, U:norm2(product)[1], 1e-13)
      assert.near(7, U:norm(product)[1], 1e-14)
      assert.close_arrays(U:inner(product:apply(V)), U:inner(V, product))
      assert.close_arrays(U:inner(product:apply(U)), U:gramian(product))
      assert.equal(U:inner(V, product):get(2, 2), U:pairwise_inner(V, product)[2])
    end
    assert.near(2 * 5 + 27, U:norm2(real)[1], 1e-13)
    raises("vector 1 has a squared norm with the imaginary part", U.norm, U,
      Matrix.from_table { { i, 0 }, { 0, 1 } })
    raises("the product is not positive semidefinite", U.norm, U,
      Matrix.from_table { { -1, i }, { -i, -1 } })
  end)

  it("have norms, largest moduli and their first places", function()
    local W = VectorArray.from_table { { complex(3, 4), 5, complex(0, -1) }, { 0, i, -i } }
    assert.close_arrays({ math.sqrt(51), math.sqrt(2) }, W:norm(), 1e-15)
    assert.same({ 51, 2 }, W:norm2())
    assert.same({ 5, 1 }, W:sup_norm())
    local indices, values = W:amax()
    assert.same({ 1, 2 }, indices)
    assert.same({ 5, 1 }, values)
    local extreme = VectorArray.from_table { { complex(3e300, 4e300), 1 },
                                             { 0, complex(3e-300, 4e-300) } }
    assert.same({ 5e300, 5e-300 }, extreme:sup_norm())
    assert.near(1, extreme:norm()[1] / 5e300, 1e-15)
    assert.near(1, extreme:norm()[2] / 5e-300, 1e-15)
    assert.same({ 0, 0 }, VectorArray.zeros(0, 2, { complex = true }):sup_norm())
    raises("amax: vectors of dimension 0 have no entries", function()
      VectorArray.zeros(0, 2, { complex = true }):amax()
    end)
  end)

  it("let a NaN in either part win, an infinity over numbers", function()
    local W = VectorArray.from_table { { 1, complex(inf, nan), inf }, { 1, complex(0, -inf), 2 } }
    local indices, values = W:amax()
    assert.same({ 2, 2 }, indices)
    assert.is_true(values[1] ~= values[1])
    assert.equal(inf, values[2])
    assert.is_true(W:norm()[1] ~= W:norm()[1])
    assert.equal(inf, W:norm()[2])
  end)

  it("give chosen components", function()
    local M = U:dofs { 2, 1, 2 }
    assert.is_true(M.is_complex)
    assert.close_arrays({ { 3, complex(2, 1) }, { complex(1, 2), -i }, { 3, complex(2, 1) } }, M)
  end)

  it("are compared by modulus", function()
    local W = U:copy()
    W:set(1, 1, W:get(1, 1) + complex(0, 1e-10))
    assert.is_false(U:almost_equal(W))
    assert.is_true(U:almost_equal(W, { atol = 1.1e-10 }))
    assert.is_true(U:almost_equal(W, { atol = 1.1e-10, sup_norm = true }))
    assert.is_true(U:almost_equal(W, { atol = 1.1e-10, product = Matrix.identity(2) }))
    assert.is_false(U:almost_equal(W, { atol = 0.9e-10, sup_norm = true }))
    assert.is_true(VectorArray.ones(2, 1):almost_equal(VectorArray.ones(2, 1, { complex = true })))
    assert.is_false(VectorArray.ones(2, 1):almost_equal(VectorArray.ones(2, 1) * i))
  end)

  it("are indexed, sliced, deleted from and copied as real ones are", function()
    local W = VectorArray.cat { U, V }
    assert.equal("VectorArray 2 x 2, complex, view of 4", tostring(W:slice(1, 3, 2)))
    assert.close_arrays({ V:to_table()[2], U:to_table()[1] }, W[{ 4, 1 }])
    W[{ 4, 1 }]:scal { 2, i }
    assert.close_arrays(V[2] * 2, W[4])
    assert.close_arrays(U[1] * i, W[1])
    local C = W:copy()
    collectgarbage() -- views
    W:delete { 2, 3 }
    assert.close_arrays({ (U[1] * i):to_table()[1], (V[2] * 2):to_table()[1] }, W)
    assert.equal(4, #C)
  end)

  it("cross the wire with what they are", function()
    for _, W in ipairs { U, U[2], U[{ 2, 1, 2 }], U:slice(2, 1, -1),
                         VectorArray.empty(3, { complex = true }),
                         VectorArray.random(1000, 3, { complex = true, seed = 1 }) } do
      local arrived = wire.decode(wire.encode(W))
      assert.is_true(arrived.is_complex)
      assert.close_arrays(W, arrived)
    end
    assert.is_true(wire.decode(wire.encode(U:copy():freeze())).is_frozen)
    assert.is_true(wire.decode(wire.encode(U:copy():freeze())).is_complex)
  end)
end)
