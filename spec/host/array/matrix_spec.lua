require "spec.support.arrays"
local neap = require "neap"
local Matrix, VectorArray = neap.Matrix, neap.VectorArray

local nan, inf = 0 / 0, math.huge

--- Asserts that f(...) raises a message that contains the text.
local function raises(text, f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  assert.is_truthy(tostring(message):find(text, 1, true), tostring(message))
end

--- A matrix of random entries in [-1, 1).
local function random(rows, cols, seed)
  local U = VectorArray.random(rows, cols, { low = -1, seed = seed })
  return U:dofs((function()
    local all = {}
    for i = 1, rows do all[i] = i end
    return all
  end)())
end

--- Symmetric positive definite, condition number of order n.
local function definite(n, seed)
  local R = random(n, n, seed)
  return R * R:T() + n * Matrix.identity(n)
end

--- Backward errors of the factorisations are some n units in the last place of numbers of order 10;
--- the systems below have condition numbers up to 1e4.
local function tolerance(n) return 1e-12 * n end

describe("Matrix", function()
  local A
  before_each(function()
    A = Matrix.from_table { { 1, 2, 3 }, { 4, 5, 6 } }
  end)

  describe("constructors", function()
    it("take rows, sizes and a diagonal", function()
      assert.equal(2, A.rows)
      assert.equal(3, A.cols)
      assert.equal(6, A:get(2, 3))
      assert.close_arrays({ { 0, 0 } }, Matrix.zeros(1, 2))
      assert.close_arrays({ { 1, 0 }, { 0, 1 } }, Matrix.identity(2))
      assert.close_arrays({ { 5, 0 }, { 0, 7 } }, Matrix.diag { 5, 7 })
    end)

    it("make matrices without entries", function()
      assert.equal(3, Matrix.zeros(0, 3).cols)
      assert.equal(0, Matrix.identity(0).rows)
      assert.equal(0, Matrix.diag({}).rows)
      assert.equal(0, Matrix.from_table({}).rows)
      assert.equal(2, Matrix.from_table({ {}, {} }).rows)
    end)

    it("combine matrices of one shape", function()
      local S = Matrix.lincomb({ 2, -1 }, { A, Matrix.from_table { { 1, 1, 1 }, { 1, 1, 1 } } })
      assert.close_arrays({ { 1, 3, 5 }, { 7, 9, 11 } }, S)
      raises("at least one Matrix expected", Matrix.lincomb, {}, {})
      raises("list of 2 numbers expected, got 1", Matrix.lincomb, { 1 }, { A, A })
      raises("entry 2: Matrix of 2 x 3 expected, got 3 x 2", Matrix.lincomb, { 1, 1 }, { A, A:T() })
      raises("entry 1: Matrix expected, got number", Matrix.lincomb, { 1 }, { 1 })
    end)

    it("refuse ragged rows, wrong entries and sizes", function()
      raises("row 2 has 1 entries, row 1 has 2", Matrix.from_table, { { 1, 2 }, { 3 } })
      raises("entry (2, 1): number expected, got boolean", Matrix.from_table, { { 1 }, { true } })
      raises("row 1: list of numbers expected, got number", Matrix.from_table, { 1, 2 })
      raises("rows: at least 0 expected, got -1", Matrix.zeros, -1, 2)
      raises("1099511627776 x 1099511627776 is too large", Matrix.identity, 1 << 40)
    end)
  end)

  describe("entries", function()
    it("are read and written", function()
      assert.equal(A, A:set(1, 2, 7))
      assert.close_arrays({ { 1, 7, 3 }, { 4, 5, 6 } }, A)
      assert.same({ 1, 7, 3 }, A:row(1))
      assert.same({ 7, 5 }, A:col(2))
      assert.same({ { 1, 7, 3 }, { 4, 5, 6 } }, A:to_table())
      assert.close_arrays({ { 1, 4 }, { 7, 5 }, { 3, 6 } }, A:T())
    end)

    it("have no index outside", function()
      raises("bad argument #1 to 'get' (index 3 out of range 1..2)", function() A:get(3, 1) end)
      raises("bad argument #2 to 'set' (index 0 out of range 1..3)", function() A:set(1, 0, 1) end)
      raises("index 3 out of range 1..2", function() A:row(3) end)
      raises("index 4 out of range 1..3", function() A:col(4) end)
      raises("use M:get(i, j)", function() return A[1] end)
      raises("entries are not assigned", function() A[1] = 2 end)
    end)

    it("of a copy are its own", function()
      local B = A:copy()
      B:set(1, 1, 0)
      A:set(2, 2, 0)
      assert.close_arrays({ { 1, 2, 3 }, { 4, 0, 6 } }, A)
      assert.close_arrays({ { 0, 2, 3 }, { 4, 5, 6 } }, B)
    end)

    it("of a frozen matrix stay", function()
      assert.equal(A, A:freeze())
      assert.is_true(A.is_frozen)
      raises("Matrix is frozen and cannot be changed", function() A:set(1, 1, 0) end)
      assert.equal(9, A:copy():set(1, 1, 9):get(1, 1))
      assert.equal(1, A:get(1, 1))
    end)

    it("are gone after close", function()
      A:close()
      A:close()
      raises("Matrix is closed", function() A:get(1, 1) end)
      raises("Matrix is closed", function() return A + A end)
      assert.equal("Matrix (closed)", tostring(A))
    end)
  end)

  it("shows its numbers when it is small", function()
    assert.equal("Matrix 2 x 2\n  1  -0.5\n  3     4",
                 tostring(Matrix.from_table { { 1, -0.5 }, { 3, 4 } }))
    assert.equal("Matrix 11 x 2", tostring(Matrix.zeros(11, 2)))
    assert.equal("Matrix 0 x 2", tostring(Matrix.zeros(0, 2)))
    assert.equal("Matrix 11 x 1, frozen", tostring(Matrix.zeros(11, 1):freeze()))
  end)

  describe("arithmetic", function()
    it("adds, subtracts, scales and multiplies", function()
      assert.close_arrays({ { 2, 4, 6 }, { 8, 10, 12 } }, A + A)
      assert.close_arrays(Matrix.zeros(2, 3), A - A)
      assert.close_arrays({ { 2, 4, 6 }, { 8, 10, 12 } }, 2 * A)
      assert.close_arrays({ { -1, -2, -3 }, { -4, -5, -6 } }, -A)
      assert.close_arrays({ { 0.5, 1, 1.5 }, { 2, 2.5, 3 } }, A * 0.5)
      assert.close_arrays({ { 14, 32 }, { 32, 77 } }, A * A:T())
      assert.close_arrays({ { 14 }, { 32 } }, A * Matrix.from_table { { 1 }, { 2 }, { 3 } })
      assert.close_arrays({ { 5, 7, 9 } }, Matrix.from_table { { 1, 1 } } * A)
    end)

    it("knows matrices without entries", function()
      assert.close_arrays({ { 0, 0 }, { 0, 0 } }, Matrix.zeros(2, 0) * Matrix.zeros(0, 2))
      assert.equal(0, (Matrix.zeros(0, 2) * A).rows)
      assert.equal(0, (Matrix.zeros(0, 3) + Matrix.zeros(0, 3)).rows)
    end)

    it("refuses shapes that do not fit, and other things", function()
      raises("cannot multiply matrices of 2 x 3 and 2 x 3", function() return A * A end)
      raises("cannot add matrices of 2 x 3 and 3 x 2", function() return A + A:T() end)
      raises("cannot add a Matrix 2 x 3 and 1", function() return A + 1 end)
      raises("cannot multiply a Matrix 2 x 3 and table", function() return {} * A end)
      raises("cannot multiply a Matrix 2 x 3 and VectorArray 2 x 1", function()
        return A * VectorArray.zeros(2, 1)
      end)
    end)

    it("multiplies vectors as apply does", function()
      local i = neap.complex(0, 1)
      for _, M in ipairs { A, i * A, Matrix.zeros(0, 3), Matrix.zeros(2, 3) } do
        for _, U in ipairs { VectorArray.random(3, 2, { seed = 1 }), VectorArray.empty(3),
                             i * VectorArray.random(3, 1, { seed = 2 }),
                             VectorArray.random(3, 5, { seed = 3 }):slice(2, 4) } do
          local V, W = M * U, M:apply(U)
          assert.equal(tostring(W), tostring(V))
          assert.is_true(V:almost_equal(W, { rtol = 0, atol = 0 }))
        end
      end
    end)

    it("leaves operations with others to those", function()
      local Other = setmetatable({}, {
        __add = function(a, b) return { "add", a, b } end,
        __sub = function(a, b) return { "sub", a, b } end,
        __mul = function(a, b) return { "mul", a, b } end,
      })
      assert.same({ "add", A, Other }, A + Other)
      assert.same({ "sub", A, Other }, A - Other)
      assert.same({ "mul", A, Other }, A * Other)
      assert.same({ "mul", Other, A }, Other * A)
    end)
  end)

  describe("solve", function()
    it("gives a solution of the kind of the right-hand side", function()
      local M = Matrix.from_table { { 0, 2 }, { 1, 1 } }
      assert.same({ 2, 1 }, M:solve { 2, 3 })
      assert.close_arrays({ { 2, 0 }, { 1, 1 } }, M:solve(Matrix.from_table { { 2, 2 }, { 3, 1 } }))
      local U = M:solve(VectorArray.from_table { { 2, 3 }, { 2, 1 } })
      assert.equal(2, U.dim)
      assert.close_arrays({ { 2, 1 }, { 0, 1 } }, U)
      assert.close_arrays({ { 2, 1 } }, M:solve(VectorArray.from_table({ { 0, 0 }, { 2, 3 } })[2]))
    end)

    it("solves systems of every size, also with the transpose", function()
      for _, n in ipairs { 1, 2, 3, 4, 5, 9, 10, 47, 48, 49, 100 } do
        local M, X = random(n, n, n), random(n, 3, n + 1)
        assert.close_arrays(X, M:solve(M * X), M:cond() * 1e-15 * n)
        assert.close_arrays(X, M:solve_adjoint(M:T() * X), M:cond() * 1e-15 * n)
        assert.close_arrays(X, M:lu():solve(M * X), M:cond() * 1e-15 * n)
        assert.close_arrays(X, M:lu():solve_adjoint(M:T() * X), M:cond() * 1e-15 * n)
      end
    end)

    it("knows systems without equations and without right-hand sides", function()
      assert.same({}, Matrix.zeros(0, 0):solve {})
      assert.equal(2, Matrix.zeros(0, 0):solve(Matrix.zeros(0, 2)).cols)
      assert.equal(0, Matrix.identity(2):solve(Matrix.zeros(2, 0)).cols)
      assert.equal(0, #Matrix.identity(40):solve(VectorArray.empty(40)))
    end)

    it("names the pivot of a singular matrix", function()
      local message = "Matrix is singular: pivot 2 is 0"
      local M = Matrix.from_table { { 1, 2 }, { 2, 4 } }
      raises(message, function() return M:solve { 1, 2 } end)
      raises(message, function() return M:lu() end)
      local large = Matrix.identity(40):set(2, 2, 0)
      raises(message, function() return large:lu() end)
      raises("pivot 1 is 0", function() return Matrix.zeros(1, 1):solve { 1 } end)
    end)

    it("says when a solution overflows", function()
      local M = Matrix.diag { 1, 1e-300, 1 }
      local B, message = { 1, 1e300, 2 }, "the solution overflows: its entry" -- 0 inf is NaN
      local C = { 1, neap.complex(0, 1e300), 2 }
      raises(message, function() return M:solve(B) end)
      raises(message, function() return M:solve(C) end)
      raises(message, function() return M:solve_adjoint(B) end)
      raises(message, function() return M:lu():solve(B) end)
      raises(message, function() return M:cholesky():solve(B) end)
      raises(message, function() return (M * neap.complex(0, 1)):solve(B) end)
      assert.same({ 1, 1e300, 2 }, Matrix.identity(3):solve(B))
    end)

    it("refuses entries that are not finite, and says where they stand", function()
      local calls = { -- written out, because messages have the name of the call
        solve = function(F, B) return (F:solve(B)) end,
        solve_adjoint = function(F, B) return (F:solve_adjoint(B)) end,
      }
      for _, n in ipairs { 2, 9, 70 } do -- 70: more than are looked at in one piece
        for value, name in pairs { [1 / 0] = "infinite", [-1 / 0] = "infinite", nan = "NaN" } do
          local x = value == "nan" and nan or value
          local M, B = Matrix.identity(n):set(n, 2, x), Matrix.zeros(n, 3):set(n, 2, x)
          local there = ("entry (%d, 2) of the Matrix is %s"):format(n, name)
          for _, method in ipairs { "solve", "solve_adjoint", "lu" } do
            raises(there, function() return M[method](M, B) end)
          end
          local I = Matrix.identity(n)
          for _, F in ipairs { I, I:lu(), I:cholesky() } do
            for _, method in ipairs { "solve", "solve_adjoint" } do
              local function refuses(what, right)
                raises(("bad argument #1 to '%s' (%s is %s)"):format(method, what, name),
                  calls[method], F, right)
              end
              refuses(there:match "^(.*) is", B)
              refuses(("entry %d of vector 2"):format(n),
                VectorArray.zeros(n, 2):set(n, 2, x))
              refuses(("entry %d"):format(n), VectorArray.zeros(n, 1):set(n, 1, x):to_table()[1])
            end
          end
        end
      end
      -- Unless something is wrong nothing is refused, the largest numbers neither.
      local most = 0x1.fffffffffffffp1023
      assert.same({ most, -most }, Matrix.identity(2):solve { most, -most })
    end)

    it("refuses other shapes and kinds", function()
      raises("square Matrix expected, got 2 x 3", function() return A:solve { 1, 2 } end)
      local M = Matrix.identity(2)
      raises("bad argument #1 to 'solve' (list of 2 numbers expected, got 3)", function()
        return M:solve { 1, 2, 3 }
      end)
      raises("Matrix of 2 rows expected, got 3", function() return M:solve(Matrix.zeros(3, 1)) end)
      raises("dimension 2 expected, got 3", function() return M:solve(VectorArray.zeros(3, 1)) end)
      raises("entry 2: Matrix expected, got neap.VectorArray", function()
        return Matrix.lincomb({ 1, 1 }, { M, VectorArray.zeros(2, 1) })
      end)
      raises("entry 1: number expected, got neap.Matrix", function() return M:solve { M, M } end)
      raises("entry 2: number expected, got string", function() return M:lu():solve { 1, "x" } end)
      raises("Matrix, VectorArray or list of numbers expected, got no value", function()
        return M:solve()
      end)
    end)
  end)

  describe("cholesky", function()
    it("solves symmetric positive definite systems of every size", function()
      for _, n in ipairs { 0, 1, 2, 10, 48, 49, 100 } do
        local M, X = definite(n, n), random(n, 2, n + 1)
        local F = M:cholesky()
        assert.equal(("Cholesky factorisation %d x %d"):format(n, n), tostring(F))
        assert.close_arrays(X, F:solve(M * X), tolerance(n))
        assert.close_arrays(X, F:solve_adjoint(M * X), tolerance(n))
      end
      assert.same({ 1, 2 }, Matrix.diag({ 4, 9 }):cholesky():solve { 4, 18 })
    end)

    it("names the pivot of an indefinite matrix", function()
      local message = "Matrix is not positive definite: pivot 2 is not positive"
      raises(message, function() return Matrix.diag({ 1, -1, 1 }):cholesky() end)
      raises("entry (2, 2) of the Matrix is NaN", function()
        return Matrix.diag({ 1, nan, 1 }):cholesky()
      end)
      raises(message, function() return Matrix.identity(40):set(2, 2, -1):cholesky() end)
      raises("pivot 1", function() return Matrix.zeros(1, 1):cholesky() end)
    end)

    it("allows for rounding in what is to be symmetric, wherever an entry stands", function()
      local I = neap.complex(0, 1)
      for _, n in ipairs { 2, 8, 9, 30 } do
        for _, at in ipairs { { n, 1 }, { n, n - 1 }, { n // 2 + 1, 1 } } do
          local i, j = at[1], at[2]
          for _, unit in ipairs { 1, I, 0.7 + 0.7 * I } do
            local M = Matrix.identity(n):set(1, 1, 4) -- 1e-10 of 4 is allowed
            M:set(i, j, 3e-10 * unit):cholesky()
            local message = ("entry (%d, %d) is 0"):format(j, i)
            raises(message, function() return M:set(i, j, 5e-10 * unit):cholesky() end)
          end
        end
      end
    end)

    it("refuses what is not symmetric", function()
      raises("Matrix is not symmetric: entry (1, 2) is 1.0, entry (2, 1) is 0.0", function()
        return Matrix.from_table({ { 2, 1 }, { 0, 2 } }):cholesky()
      end)
      raises("square Matrix expected, got 2 x 3", function() return A:cholesky() end)
    end)
  end)

  describe("det", function()
    it("is the product of the pivots, with the sign of the interchanges", function()
      assert.equal(-2, Matrix.from_table({ { 0, 1 }, { 2, 0 } }):det())
      assert.near(-306, Matrix.from_table({ { 6, 1, 1 }, { 4, -2, 5 }, { 2, 8, 7 } }):det(), 1e-11)
      assert.equal(0, Matrix.from_table({ { 1, 2 }, { 2, 4 } }):det())
      assert.equal(1, Matrix.identity(0):det())
      assert.equal(2 ^ 40, (2 * Matrix.identity(40)):det())
      assert.near(1e100, Matrix.diag({ 1e200, 1e200, 1e-300 }):det(), 1e87) -- some ulps
      assert.near(-1e-20, Matrix.diag({ 1e-310, -1e-10, 1e300 }):det(), 1e-33)
      assert.equal(inf, Matrix.diag({ 1e200, 1e200 }):det())
      assert.equal(0, Matrix.diag({ 1e-200, 1e-200 }):det())
      local d = Matrix.from_table({ { nan, 1 }, { 1, 1 } }):det()
      assert.is_true(d ~= d)
      raises("square Matrix expected, got 2 x 3", function() return A:det() end)
    end)
  end)

  describe("qr", function()
    local shapes = { { 5, 3 }, { 3, 5 }, { 4, 4 }, { 1, 1 }, { 40, 30 } }

    it("gives orthonormal columns and a triangle", function()
      for _, shape in ipairs(shapes) do
        local m, n = shape[1], shape[2]
        local M, k = random(m, n, m), math.min(m, n)
        local Q, R, p = M:qr()
        assert.is_nil(p)
        assert.equal(m, Q.rows)
        assert.equal(n, R.cols)
        assert.close_arrays(M, Q * R, tolerance(m))
        assert.close_arrays(Matrix.identity(k), Q:T() * Q, tolerance(m))
        for j = 1, n do
          for i = j + 1, k do assert.equal(0, R:get(i, j)) end
        end
      end
    end)

    it("pivots columns when asked", function()
      for _, shape in ipairs(shapes) do
        local m, n = shape[1], shape[2]
        local M = random(m, n, m)
        local Q, R, p = M:qr { pivoting = true }
        local P = Matrix.zeros(n, n)
        for j = 1, n do P:set(p[j], j, 1) end
        assert.equal("integer", math.type(p[1]))
        assert.close_arrays(M * P, Q * R, tolerance(m))
        for i = 2, math.min(m, n) do
          assert.is_true(math.abs(R:get(i, i)) <= math.abs(R:get(i - 1, i - 1)) * (1 + 1e-14))
        end
      end
      local _, _, p = Matrix.diag({ 1, 3, 2 }):qr { pivoting = true }
      assert.same({ 2, 3, 1 }, p)
    end)

    it("knows matrices without entries", function()
      local Q, R, p = Matrix.zeros(0, 2):qr { pivoting = true }
      assert.equal(0, Q.cols)
      assert.equal(2, R.cols)
      assert.same({ 1, 2 }, p)
      Q, R = Matrix.zeros(3, 0):qr()
      assert.equal(3, Q.rows)
      assert.equal(0, R.rows)
    end)

    it("refuses unknown options and entries that are not finite", function()
      raises("unknown option 'pivot'", function() A:qr { pivot = true } end)
      raises("option pivoting: boolean expected, got number", function() A:qr { pivoting = 1 } end)
      raises("entry (2, 3) of the Matrix is infinite", function() A:set(2, 3, inf):qr() end)
    end)
  end)

  describe("svd", function()
    it("is economic, descending and orthonormal", function()
      for _, shape in ipairs { { 5, 3 }, { 3, 5 }, { 1, 1 }, { 40, 30 } } do
        local M, k = random(shape[1], shape[2], 3), math.min(shape[1], shape[2])
        local U, s, Vt = M:svd()
        assert.equal(k, #s)
        for i = 2, k do assert.is_true(s[i] <= s[i - 1]) end
        assert.close_arrays(M, U * Matrix.diag(s) * Vt, tolerance(40))
        assert.close_arrays(Matrix.identity(k), U:T() * U, tolerance(40))
        assert.close_arrays(Matrix.identity(k), Vt * Vt:T(), tolerance(40))
      end
    end)

    it("knows rank deficiency, zero and nothing", function()
      local _, s = Matrix.from_table({ { 3, 0 }, { 4, 0 } }):svd()
      assert.near(5, s[1], 1e-14)
      assert.near(0, s[2], 1e-14)
      _, s = Matrix.zeros(2, 3):svd()
      assert.same({ 0, 0 }, s)
      local U, t, Vt = Matrix.zeros(0, 3):svd()
      assert.same({ 0, 0, 3 }, { U.cols, #t, Vt.cols })
      raises("entry (1, 1) of the Matrix is NaN", function()
        return Matrix.diag({ nan }):svd()
      end)
    end)
  end)

  describe("eigh", function()
    it("solves the symmetric eigenproblem, values ascending", function()
      local w, X = Matrix.from_table({ { 2, 1 }, { 1, 2 } }):eigh()
      assert.near(1, w[1], 1e-14)
      assert.near(3, w[2], 1e-14)
      assert.near(0, X:get(1, 1) + X:get(2, 1), 1e-14)
      for _, n in ipairs { 1, 5, 40 } do
        local M = definite(n, n)
        w, X = M:eigh()
        assert.close_arrays(M * X, X * Matrix.diag(w), tolerance(n) * n)
        assert.close_arrays(Matrix.identity(n), X:T() * X, tolerance(n))
        for i = 2, n do assert.is_true(w[i - 1] <= w[i]) end
      end
    end)

    it("solves the generalised one", function()
      local M, B = definite(6, 1), definite(6, 2)
      local w, X = M:eigh(B)
      assert.close_arrays(M * X, B * X * Matrix.diag(w), tolerance(60))
      assert.close_arrays(Matrix.identity(6), X:T() * B * X, tolerance(6))
    end)

    it("reads symmetric matrices only, and a definite B", function()
      raises("Matrix is not symmetric: entry (1, 2) is 2.0, entry (2, 1) is 1.0", function()
        return Matrix.from_table({ { 1, 2 }, { 1, 1 } }):eigh()
      end)
      raises("Matrix is not positive definite: pivot 2 is not positive", function()
        return Matrix.identity(2):eigh(Matrix.diag { 1, -1 })
      end)
      raises("Matrix of 2 x 2 expected, got 3 x 3", function()
        return Matrix.identity(2):eigh(Matrix.identity(3))
      end)
      raises("square Matrix expected, got 2 x 3", function() return A:eigh() end)
      assert.same({}, (Matrix.zeros(0, 0):eigh()))
    end)
  end)

  describe("eig", function()
    it("solves eigenproblems with real eigenvalues", function()
      local M = Matrix.from_table { { 2, 1 }, { 0, 3 } }
      local w, X = M:eig()
      assert.close_arrays(M * X, X * Matrix.diag(w), 1e-14)
      assert.same({ 2, 3 }, w)
      assert.same({}, (Matrix.zeros(0, 0):eig()))
    end)

    it("refuses what is not square", function()
      raises("square Matrix expected, got 2 x 3", function() return A:eig() end)
    end)
  end)

  describe("lstsq", function()
    it("minimises the residual of tall systems", function()
      local M, B = random(8, 3, 1), random(8, 2, 2)
      local X = M:lstsq(B)
      assert.equal(3, X.rows)
      assert.close_arrays(Matrix.zeros(3, 2), M:T() * (M * X - B), tolerance(8))
    end)

    it("gives the smallest solution of wide and of deficient systems", function()
      local x = Matrix.from_table({ { 1, 1 } }):lstsq { 2 }
      assert.near(1, x[1], 1e-14)
      assert.near(1, x[2], 1e-14)
      x = Matrix.from_table({ { 1, 1 }, { 1, 1 } }):lstsq { 1, 3 }
      assert.near(1, x[1], 1e-14)
      assert.near(1, x[2], 1e-14)
    end)

    it("keeps the kind of the right-hand side", function()
      local U = random(4, 2, 1):lstsq(VectorArray.random(4, 3, { seed = 1 }))
      assert.equal("VectorArray 2 x 3", tostring(U))
      assert.same({ 0, 0, 0 }, Matrix.zeros(0, 3):lstsq {})
      assert.same({}, Matrix.zeros(2, 0):lstsq { 1, 2 })
      assert.equal(0, Matrix.zeros(2, 3):lstsq(Matrix.zeros(2, 0)).cols)
    end)

    it("refuses other shapes and entries that are not finite", function()
      raises("list of 2 numbers expected, got 3", function() return A:lstsq { 1, 2, 3 } end)
      raises("entry 2 is infinite", function() return A:lstsq { 1, inf } end)
      raises("entry (1, 1) of the Matrix is NaN", function()
        return A:set(1, 1, nan):lstsq { 1, 2 }
      end)
    end)
  end)

  describe("norms", function()
    it("are those of their names", function()
      local M = Matrix.from_table { { 1, -2 }, { 3, 4 } }
      assert.near(math.sqrt(30), M:norm(), 1e-14)
      assert.equal(M:norm(), M:norm "fro")
      assert.equal(6, M:norm "1")
      assert.equal(7, M:norm "inf")
      assert.near(select(2, M:svd())[1], M:norm "2", 1e-14)
      assert.equal(0, Matrix.zeros(0, 2):norm "2")
      assert.equal(0, Matrix.zeros(0, 2):norm())
      raises("'fro', '2', '1' or 'inf' expected, got 'max'", function() M:norm "max" end)
    end)

    it("show NaN and infinity", function()
      for _, kind in ipairs { "fro", "2", "1", "inf" } do
        local norm = Matrix.from_table({ { 1, nan }, { 2, 3 } }):norm(kind)
        assert.is_true(norm ~= norm)
        assert.equal(inf, Matrix.from_table({ { 1, -inf }, { 2, 3 } }):norm(kind))
      end
    end)
  end)

  describe("cond and pinv", function()
    it("come from the singular values", function()
      assert.near(5, Matrix.diag({ 10, 2 }):cond(), 1e-13)
      assert.equal(inf, Matrix.zeros(2, 2):cond())
      raises("an empty Matrix has no condition number", function() Matrix.zeros(0, 0):cond() end)
      local M = random(5, 3, 1)
      assert.close_arrays(Matrix.identity(3), M:pinv() * M, tolerance(5))
      local D = Matrix.from_table { { 1, 1 }, { 1, 1 } }
      assert.close_arrays({ { 0.25, 0.25 }, { 0.25, 0.25 } }, D:pinv(), 1e-15)
      assert.equal(2, Matrix.zeros(2, 0):pinv().cols)
      assert.close_arrays(Matrix.zeros(3, 2), Matrix.zeros(2, 3):pinv())
    end)
  end)

  describe("as an operator", function()
    local U, V
    before_each(function()
      U = VectorArray.from_table { { 1, 0, 1 }, { 0, 1, 0 } }
      V = VectorArray.from_table { { 1, 1 }, { 1, -1 } }
    end)

    it("has a source and a range", function()
      assert.equal(3, A.source)
      assert.equal(2, A.range)
    end)

    it("applies, also to views and to nothing", function()
      assert.close_arrays({ { 4, 10 }, { 2, 5 } }, A:apply(U))
      assert.close_arrays({ { 2, 5 }, { 4, 10 } }, A:apply(U:slice(2, 1, -1)))
      assert.close_arrays({ { 5, 7, 9 }, { -3, -3, -3 } }, A:apply_adjoint(V))
      assert.equal(0, #A:apply(VectorArray.empty(3)))
      assert.close_arrays({ { 0, 0 } }, Matrix.zeros(2, 0):apply(VectorArray.zeros(0, 1)))
      assert.close_arrays(A:apply(U), A:apply(U, { diffusion = { 1 } })) -- a parameter is ignored
    end)

    it("gives bilinear forms", function()
      assert.close_arrays({ { 14, 7 }, { -6, -3 } }, A:apply2(V, U))
      assert.same({ 14, -3 }, A:pairwise_apply2(V, U))
      assert.equal(0, A:apply2(VectorArray.empty(2), U).rows)
    end)

    it("applies its inverse and that of its transpose", function()
      local M = Matrix.from_table { { 2, 1 }, { 0, 4 } }
      assert.close_arrays({ { 0.375, 0.25 }, { 0.625, -0.25 } }, M:apply_inverse(V))
      assert.close_arrays(V, M:apply_adjoint(M:apply_inverse_adjoint(V)), 1e-15)
    end)

    it("refuses other dimensions", function()
      raises("bad argument #1 to 'apply' (dimension 3 expected, got 2)", function() A:apply(V) end)
      raises("bad argument #1 to 'apply_adjoint' (dimension 2 expected, got 3)", function()
        A:apply_adjoint(U)
      end)
      raises("bad argument #1 to 'apply2' (dimension 2 expected, got 3)", function()
        A:apply2(U, U)
      end)
      raises("bad argument #2 to 'pairwise_apply2' (2 vectors expected, got 1)", function()
        A:pairwise_apply2(V, U[1])
      end)
      raises("neap.VectorArray expected, got table", function() A:apply {} end)
    end)
  end)
end)
