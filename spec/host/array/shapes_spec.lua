-- Every function of arrays and matrices against plain Lua, for every shape, however they lie in
-- memory, real and complex, with every kind of product. Entries are integers: results are exact.
local arrays = require "spec.support.arrays"
local neap = require "neap"
local operators = require "neap.operators"
local plain = require "spec.support.plain"
local VectorArray, Matrix, SparseMatrix = neap.VectorArray, neap.Matrix, neap.SparseMatrix

local DIMS, LENS = { 0, 1, 3, 17 }, { 0, 1, 4 }
local KINDS = { false, true }

-- What fails, when something does.
local case

local function check(condition, what, ...)
  if not condition then error(("%s: %s"):format(case, what:format(...)), 0) end
end

local function same_lists(expected, actual, what)
  local difference = arrays.difference(expected, actual, 0)
  check(difference == nil, "%s: %s", what, difference)
end

--- A VectorArray: its shape and its entries.
local function is_array(expected, U, what)
  check(U.dim == expected.m and #U == expected.n, "%s: %d x %d expected, got %d x %d", what,
    expected.m, expected.n, U.dim, #U)
  same_lists(table.move(expected, 1, expected.n, 1, {}), U:to_table(), what)
end

local function is_matrix(expected, A, what)
  check(A.rows == expected.m and A.cols == expected.n, "%s: %d x %d expected, got %d x %d", what,
    expected.m, expected.n, A.rows, A.cols)
  for j = 1, A.cols do
    for i = 1, A.rows do
      check(A:get(i, j) == expected[j][i] or arrays.modulus(A:get(i, j) - expected[j][i]) == 0,
        "%s: entry %d, %d", what, i, j)
    end
  end
end

local function is_list(expected, list, what)
  check(#expected == #list, "%s: %d entries expected, got %d", what, #expected, #list)
  same_lists({ expected }, { list }, what)
end

local function real(x) return type(x) == "number" and x or x.re end

local function imaginary(x) return type(x) == "number" and 0 or x.im end

local function roots(squares)
  local list = {}
  for i, x in ipairs(squares) do list[i] = math.sqrt(real(x)) end
  return list
end

--- Calls f(plain model, VectorArray, is_complex) for arrays of every shape, storage and kind.
local function for_arrays(f)
  math.randomseed(5)
  for _, dim in ipairs(DIMS) do
    for _, len in ipairs(LENS) do
      for _, is_complex in ipairs(KINDS) do
        for k, storage in ipairs(plain.storages) do
          case = ("%s%d x %d as %s"):format(is_complex and "complex " or "", dim, len, storage)
          local model = plain.random(dim, len, is_complex)
          f(model, plain.array(model, storage), plain.storages[k % #plain.storages + 1])
        end
      end
    end
  end
end

describe("VectorArrays of every shape, storage and kind", function()
  it("have the inner products and norms of their entries, in every product", function()
    for_arrays(function(u, U, storage)
      for _, is_complex in ipairs(KINDS) do
        local v = plain.random(u.m, 3, is_complex)
        local w = plain.random(u.m, u.n, is_complex)
        local V, W = plain.array(v, storage), plain.array(w, storage)
        is_matrix(plain.mul(plain.adjoint(u), v), U:inner(V), "inner")
        is_list(plain.diagonal(plain.mul(plain.adjoint(u), w)), U:pairwise_inner(W),
          "pairwise_inner")
        check(U:inner(V).is_complex == (U.is_complex or V.is_complex), "kind of inner")
        local p = plain.definite(u.m, is_complex)
        local pu = plain.mul(p, u)
        local squares = plain.diagonal(plain.mul(plain.adjoint(u), pu))
        for i, x in ipairs(squares) do squares[i] = real(x) end
        for name, P in pairs(plain.operators(p)) do
          is_matrix(plain.mul(plain.adjoint(v), pu), V:inner(U, P), "inner in " .. name)
          is_list(plain.diagonal(plain.mul(plain.adjoint(w), pu)), W:pairwise_inner(U, P),
            "pairwise_inner in " .. name)
          is_matrix(plain.mul(plain.adjoint(u), pu), U:gramian(P), "gramian in " .. name)
          is_list(squares, U:norm2(P), "norm2 in " .. name)
          is_list(roots(squares), U:norm(P), "norm in " .. name)
        end
      end
      local gramian = plain.mul(plain.adjoint(u), u)
      is_matrix(gramian, U:gramian(), "gramian")
      is_matrix(gramian, U:inner(U), "inner with itself")
      local squares = plain.diagonal(gramian)
      for i, x in ipairs(squares) do squares[i] = real(x) end
      is_list(squares, U:norm2(), "norm2")
      is_list(roots(squares), U:norm(), "norm")
    end)
  end)

  it("have the components and largest entries of these", function()
    for_arrays(function(u, U)
      local largest, where = {}, {}
      for j = 1, u.n do
        largest[j] = 0
        for i = 1, u.m do
          local size = arrays.modulus(u[j][i])
          if where[j] == nil or size > largest[j] then largest[j], where[j] = size, i end
        end
      end
      is_list(largest, U:sup_norm(), "sup_norm")
      if u.m > 0 then
        local indices, values = U:amax()
        is_list(where, indices, "indices of amax")
        is_list(largest, values, "amax")
      end
      for _, dofs in ipairs { {}, { u.m }, { u.m, 1, u.m } } do
        if u.m > 0 or #dofs == 0 then
          is_matrix(plain.new(#dofs, u.n, function(i, j) return u[j][dofs[i]] end),
            U:dofs(dofs), "dofs")
        end
      end
      is_array(u, U:copy(), "copy")
      is_array(plain.map(u, real), U:real(), "real")
      is_array(plain.map(u, imaginary), U:imag(), "imag")
      is_array(plain.transpose(plain.adjoint(u)), U:conj(), "conj")
      local order = {}
      for j = 1, u.n do order[j] = u.n + 1 - j end
      is_array(plain.pick(u, order), U[order], "view of a list")
      is_array(plain.pick(u, order), U:slice(u.n, 1, -1), "reversed slice")
      for j = 1, u.n do is_array(plain.pick(u, { j }), U[j], "view of one") end
    end)
  end)

  it("are added, scaled and combined as their entries are", function()
    for_arrays(function(u, U, storage)
      for _, is_complex in ipairs(KINDS) do
        local v, one = plain.random(u.m, u.n, is_complex), plain.random(u.m, 1, is_complex)
        local V, W = plain.array(v, storage), plain.array(one, storage)
        local alpha, each = is_complex and neap.complex(2, -3) or -3, {}
        for j = 1, u.n do each[j] = is_complex and neap.complex(j, -j) or j end
        is_array(plain.sum(1, u, 1, v), U + V, "+")
        is_array(plain.sum(1, u, -1, v), U - V, "-")
        is_array(plain.sum(1, u, 1, one), U + W, "+ one vector")
        is_array(plain.sum(1, u, -1, one), U - W, "- one vector")
        is_array(plain.map(u, function(x) return alpha * x end), alpha * U, "a *")
        is_array(plain.map(u, function(x) return alpha * x end), U * alpha, "* a")
        is_array(plain.join(u, v, u), VectorArray.cat { U, V, U }, "cat")
        local c = plain.random(u.n, 3, is_complex)
        is_array(plain.mul(u, c), U:lincomb(plain.matrix(c)), "lincomb")
        is_array(plain.mul(u, plain.pick(c, {})), U:lincomb(plain.matrix(plain.pick(c, {}))),
          "lincomb to no vector")
        is_array(plain.mul(u, plain.pick(c, { 2 })), U:lincomb(c[2]), "lincomb by a list")
        local X = plain.array(u, storage)
        is_array(plain.map(u, function(x) return alpha * x end), X:scal(alpha), "scal")
        X = plain.array(u, storage)
        is_array(plain.map(u, function(x, _, j) return each[j] * x end), X:scal(each),
          "scal by a list")
        X = plain.array(u, storage)
        is_array(plain.sum(1, u, alpha, v), X:axpy(alpha, V), "axpy")
        X = plain.array(u, storage)
        is_array(plain.sum(1, u, alpha, one), X:axpy(alpha, W), "axpy of one vector")
        X = plain.array(u, storage)
        is_array(plain.map(u, function(x, i, j) return x + each[j] * v[j][i] end), X:axpy(each, V),
          "axpy by a list")
        is_array(v, V, "argument")
      end
      is_array(plain.map(u, function(x) return -x end), -U, "negative")
      is_array(u, U, "argument")
    end)
  end)

  it("are read before they are written, whatever they share", function()
    for_arrays(function(u, _, storage)
      local order = {}
      for j = 1, u.n do order[j] = (j * j) % u.n + 1 end -- with repeats
      local backwards = {}
      for j = 1, u.n do backwards[j] = u.n + 1 - j end
      for name, alias in pairs {
        itself = { function(X) return X end, u },
        ["its reverse"] = { function(X) return X:slice(#X, 1, -1) end, plain.pick(u, backwards) },
        ["a view with repeats"] = { function(X) return X[order] end, plain.pick(u, order) },
        ["its first"] = u.n > 0 and { function(X) return X[1] end, plain.pick(u, { 1 }) } or nil,
        ["its last"] = u.n > 0 and { function(X) return X[#X] end, plain.pick(u, { u.n }) } or nil,
        ["its copy"] = { function(X) return X:copy() end, u },
      } do
        local X = plain.array(u, storage)
        is_array(plain.sum(1, u, 2, alias[2]), X:axpy(2, alias[1](X)), "axpy of " .. name)
        X = plain.array(u, storage)
        is_array(plain.sum(1, u, 1, alias[2]), X + alias[1](X), "sum with " .. name)
        is_matrix(plain.mul(plain.adjoint(alias[2]), u), alias[1](X):inner(X), "inner of " .. name)
        is_array(u, X, "array")
        X = plain.array(u)
        if not name:find "copy" and name ~= "itself" then
          local view <close> = alias[1](X)
          is_array(alias[2], view:copy(), name)
        else
          is_array(plain.join(u, u), X:append(alias[1](X)), "append of " .. name)
        end
      end
    end)
  end)

  it("are appended, moved and deleted from", function()
    for_arrays(function(u, U, storage)
      for _, is_complex in ipairs(KINDS) do
        local v = plain.random(u.m, 2, is_complex)
        local X = plain.array(v)
        is_array(plain.join(v, u), X:append(U), "append")
        is_array(u, U, "what was appended")
        local Y = plain.array(v)
        is_array(plain.join(v, u, v), X:append(Y, { remove_from_other = true }), "move")
        check(#Y == 0 and Y.dim == u.m, "not emptied")
        is_array(v, Y:append(plain.array(v, storage)), "what was emptied")
        is_array(plain.pick(plain.join(v, u, v), { 2 }), X:delete((function()
          local indices = { 1 }
          for j = 3, u.n + 4 do indices[#indices + 1], indices[#indices + 2] = j, 1 end
          return indices
        end)()), "delete")
        is_array(v, Y:delete {}, "delete nothing")
        is_array(plain.pick(v, { 1 }), Y:delete(2), "delete one")
        is_array(plain.pick(v, {}), Y:delete { 1, 1 }, "delete all")
      end
    end)
  end)

  it("equal themselves and what is near, in every norm", function()
    for_arrays(function(u, U, storage)
      local P = plain.matrix(plain.definite(u.m, u.is_complex))
      local V = plain.array(u, storage)
      for _, options in ipairs { {}, { sup_norm = true }, { product = P }, { rtol = 0, atol = 0 },
                                 { product = operators.MatrixOperator(P) } } do
        check(U:almost_equal(V, options) and V:almost_equal(U, options), "not equal")
        if u.m > 0 and u.n > 0 then
          local W = U:copy()
          W:set(u.m, u.n, W:get(u.m, u.n) + 1)
          check(not U:almost_equal(W, options), "equal to another")
          check(U:almost_equal(W, { atol = 1e3, product = options.product,
            sup_norm = options.sup_norm }), "not equal up to atol")
        end
      end
    end)
  end)
end)

describe("matrices of every shape and kind", function()
  local SIZES = { 0, 1, 3, 6 }

  local function for_matrices(f)
    math.randomseed(6)
    for _, m in ipairs(SIZES) do
      for _, n in ipairs(SIZES) do
        for _, is_complex in ipairs(KINDS) do
          case = ("%s%d x %d"):format(is_complex and "complex " or "", m, n)
          f(plain.random(m, n, is_complex), is_complex)
        end
      end
    end
  end

  it("and operators of them apply to arrays however these lie in memory", function()
    for_matrices(function(a)
      for name, A in pairs(plain.operators(a)) do
        for k, storage in ipairs(plain.storages) do
          local is_complex, len = k % 2 == 0, k - 1
          local u, v = plain.random(a.n, len, is_complex), plain.random(a.m, len, not is_complex)
          local U, V = plain.array(u, storage), plain.array(v, storage)
          is_array(plain.mul(a, u), A:apply(U), name .. ":apply")
          is_array(plain.mul(plain.adjoint(a), v), A:apply_adjoint(V), name .. ":apply_adjoint")
          local forms = plain.mul(plain.adjoint(v), plain.mul(a, u))
          is_matrix(forms, A:apply2(V, U), name .. ":apply2")
          is_list(plain.diagonal(forms), A:pairwise_apply2(V, U), name .. ":pairwise_apply2")
        end
        if name ~= "Matrix" and name ~= "frozen Matrix" and name ~= "SparseMatrix" then
          is_array(a, A:as_range_array(), name .. ":as_range_array")
          is_array(plain.adjoint(a), A:as_source_array(), name .. ":as_source_array")
        end
      end
    end)
  end)

  it("are added, multiplied and transposed as their entries are", function()
    for_matrices(function(a, is_complex)
      local b, c = plain.random(a.m, a.n, not is_complex), plain.random(a.n, 2, is_complex)
      for name, make in pairs { Matrix = plain.matrix, SparseMatrix = plain.sparse } do
        local A, B, C = make(a), make(b), make(c)
        is_matrix(plain.sum(1, a, 1, b), A + B, name .. " +")
        is_matrix(plain.sum(1, a, -1, b), A - B, name .. " -")
        is_matrix(plain.sum(1, a, 1, a), A + A, name .. " + itself")
        is_matrix(plain.mul(a, c), A * C, name .. " *")
        is_matrix(plain.mul(a, plain.adjoint(a)), A * A:H(), name .. " * its adjoint")
        is_array(plain.mul(a, c), A * plain.array(c, "strided"), name .. " * VectorArray")
        is_matrix(plain.map(a, function(x) return 3 * x end), 3 * A, "3 * " .. name)
        is_matrix(plain.map(a, function(x) return neap.complex(0, 2) * x end),
          A * neap.complex(0, 2), name .. " * complex")
        is_matrix(plain.map(a, function(x) return -x end), -A, "-" .. name)
        is_matrix(plain.transpose(a), A:T(), name .. ":T")
        is_matrix(plain.adjoint(a), A:H(), name .. ":H")
        is_matrix(plain.transpose(plain.adjoint(a)), A:conj(), name .. ":conj")
        is_matrix(plain.map(a, real), A:real(), name .. ":real")
        is_matrix(plain.map(a, imaginary), A:imag(), name .. ":imag")
        is_matrix(plain.sum(2, a, -3, b), (name == "Matrix" and Matrix or SparseMatrix)
          .lincomb({ 2, -4, 1 }, { A, B, B }), name .. ".lincomb")
        is_matrix(a, A, name)
      end
      local both = { Matrix = plain.matrix, SparseMatrix = plain.sparse }
      for left, right in pairs { Matrix = "SparseMatrix", SparseMatrix = "Matrix" } do
        local A, B, C = both[left](a), both[right](b), both[right](c)
        is_matrix(plain.mul(a, c), A * C, left .. " * " .. right)
        is_matrix(plain.sum(1, a, 1, b), A + B, left .. " + " .. right)
        is_matrix(plain.sum(1, a, -1, b), A - B, left .. " - " .. right)
        check(type(A + B) == "userdata" and (A + B).is_frozen == false, "%s + %s is dense", left,
          right)
      end
    end)
  end)

  it("tell their entries", function()
    for_matrices(function(a)
      local A, S = plain.matrix(a), plain.sparse(a)
      local rows = A:to_table()
      check(#rows == a.m, "%d rows", #rows)
      for i = 1, a.m do
        local row = {}
        for j = 1, a.n do row[j] = a[j][i] end
        is_list(row, A:row(i), "row")
        is_list(row, rows[i], "to_table")
      end
      for j = 1, a.n do is_list(a[j], A:col(j), "col") end
      is_matrix(a, A:copy(), "copy")
      is_list(plain.diagonal(a), S:diagonal(), "diagonal")
      is_matrix(a, S:to_matrix(), "to_matrix")
      local i, j, values = S:triplets()
      check(#i == S.nnz and #j == S.nnz and #values == S.nnz, "triplets")
      is_matrix(a, SparseMatrix.from_triplets(a.m, a.n, i, j, values), "triplets")
      local one, inf, squares = 0, 0, 0
      for k = 1, a.n do
        local sum = 0
        for l = 1, a.m do
          local size = arrays.modulus(a[k][l])
          sum, squares = sum + size, squares + size ^ 2
        end
        one = math.max(one, sum)
      end
      for l = 1, a.m do
        local sum = 0
        for k = 1, a.n do sum = sum + arrays.modulus(a[k][l]) end
        inf = math.max(inf, sum)
      end
      for name, X in pairs { Matrix = A, SparseMatrix = S } do
        -- Moduli of complex numbers are rounded: some 36 additions.
        assert.near(one, X:norm "1", 1e-13, name)
        assert.near(inf, X:norm "inf", 1e-13, name)
        assert.near(math.sqrt(squares), X:norm(), 1e-13, name)
      end
    end)
  end)

  it("solve for right-hand sides of every kind, and with their adjoints", function()
    math.randomseed(7)
    for _, n in ipairs { 0, 1, 2, 5, 9 } do
      for _, is_complex in ipairs(KINDS) do
        -- Diagonally dominant, of condition below 10: 1e-13 is far above the rounding.
        local a = plain.map(plain.random(n, n, is_complex), function(x, i, j)
          return i == j and x + 100 or x
        end)
        a.is_complex = is_complex
        for name, A in pairs(plain.operators(a)) do
          for k, storage in ipairs(plain.storages) do
            case = ("%s of %d, %s"):format(name, n, storage)
            local v = plain.random(n, k - 1, k % 2 == 0)
            local V = plain.array(v, storage)
            if name ~= "a user's own" then
              assert.close_arrays(V, A:apply(A:apply_inverse(V)), 1e-13)
              assert.close_arrays(V, A:apply_adjoint(A:apply_inverse_adjoint(V)), 1e-13)
              is_array(v, V, "right-hand side")
            end
          end
        end
        local A = plain.matrix(a)
        for _, cols in ipairs { 0, 1, 3 } do
          local B = plain.matrix(plain.random(n, cols, not is_complex))
          assert.close_arrays(B, A * A:solve(B), 1e-13)
          assert.close_arrays(B, A:H() * A:solve_adjoint(B), 1e-13)
          assert.close_arrays(B, A * A:lu():solve(B), 1e-13)
          assert.close_arrays(B, A:H() * A:lu():solve_adjoint(B), 1e-13)
          assert.close_arrays(B, A * A:lstsq(B), 1e-12)
          assert.close_arrays(B, A * (A:pinv() * B), 1e-12)
        end
        local list = plain.random(n, 1, is_complex)[1]
        local X = VectorArray.from_table { A:solve(list) }
        if n > 0 then assert.close_arrays({ list }, A:apply(X), 1e-13) end
      end
    end
  end)
end)
