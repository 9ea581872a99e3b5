--- One side of spec/bench/arrays.lua: reads names of rows and answers each with a line of samples
--- in seconds; "rows" with all names.
local neap = require "neap"
local clock = require "host.clock".now
local SparseMatrix, VectorArray = neap.SparseMatrix, neap.VectorArray

local SAMPLE = 2e-3                       -- seconds that a sample lasts at least
local SAMPLES, LEAST, BUDGET = 15, 3, 0.1 -- of a row; after BUDGET seconds LEAST samples will do
local WARM = 0.08 -- seconds before the first sample, so that memory is used a second time

-- prepare(), which is not timed, makes the argument for one call of f.
local function samples(f, prepare)
  local calls, list = 1, {}
  if not prepare then
    local warm = clock() + WARM
    repeat f() until clock() > warm
    local start = clock()
    f()
    calls = math.max(1, math.min(100000, math.ceil(SAMPLE / math.max(clock() - start, 1e-8))))
  end
  local start = clock()
  while #list < SAMPLES and (#list < LEAST or clock() - start < BUDGET) do
    local x = prepare and prepare()
    local before = clock()
    for _ = 1, calls do f(x) end
    list[#list + 1] = ("%.9g"):format((clock() - before) / calls)
  end
  return table.concat(list, " ")
end

local function all_of(n)
  local list = {}
  for i = 1, n do list[i] = i end
  return list
end

-- A group of rows shares its data, which are made when the first of them is asked for, and goes
-- before the next group: make() -> name -> { f, prepare }.
local names, makers = {}, {}
local function group(list, suffix, make)
  for _, name in ipairs(list) do
    names[#names + 1] = name .. suffix
    makers[name .. suffix] = { make = make, name = name }
  end
end

local vector_rows = { "inner", "gramian", "lincomb", "axpy", "scal", "U + V", "norm", "sup_norm",
  "amax", "dofs", "append 5" }
for _, size in ipairs { { 100, 10 }, { 10000, 50 }, { 1000000, 10 } } do
  local dim, len = size[1], size[2]
  group(vector_rows, (" %d x %d"):format(dim, len), function()
    local U = VectorArray.random(dim, len, { seed = 1, low = -1 })
    local V = VectorArray.random(dim, len, { seed = 2, low = -1 })
    local C = VectorArray.random(len, len, { seed = 3, low = -1 }):dofs(all_of(len))
    local one, indices = V[1]:copy(), {}
    for i = 1, 50 do indices[i] = 1 + (i * 7919) % dim end
    return {
      ["inner"] = { function() return U:inner(V) end },
      ["gramian"] = { function() return U:gramian() end },
      ["lincomb"] = { function() return U:lincomb(C) end },
      ["axpy"] = { function() return U:axpy(1e-9, V) end },
      ["scal"] = { function() return U:scal(1.0000000001) end },
      ["U + V"] = { function() return U + V end },
      ["norm"] = { function() return U:norm() end },
      ["sup_norm"] = { function() return U:sup_norm() end },
      ["amax"] = { function() return U:amax() end },
      ["dofs"] = { function() return U:dofs(indices) end },
      ["append 5"] = { function()
        local W = VectorArray.empty(dim)
        for _ = 1, 5 do W:append(one) end
      end },
    }
  end)
end

for _, n in ipairs { 10, 100, 1000 } do
  group({ "solve", "svd", "eigh", "matrix product" }, " " .. n, function()
    local A = VectorArray.random(n, n, { seed = 5, low = -1 }):dofs(all_of(n))
    local S, B = A:T() * A, VectorArray.random(n, 5, { seed = 6 })
    return {
      ["solve"] = { function() return A:solve(B) end },
      ["svd"] = { function() return A:svd() end },
      ["eigh"] = { function() return S:eigh() end },
      ["matrix product"] = { function() return A * S end },
    }
  end)
end

for _, size in ipairs { { "small", 9941 }, { "large", 159613 } } do
  local path, unknowns = ("%s/%s.mtx"):format(arg[1], size[1]), size[2]
  -- The pattern goes with its last matrix, and what is known of it.
  group({ "factorise + solve" }, " " .. unknowns, function()
    local b = VectorArray.ones(unknowns, 1)
    return { ["factorise + solve"] = { function(A) return A:apply_inverse(b) end, function()
      collectgarbage()
      return neap.load(path)
    end } }
  end)
  group({ "apply", "apply to 16", "refactorise", "refactorise + solve", "solve", "solve with 16" },
    " " .. unknowns, function()
      local A, r = neap.load(path), 1
      local b, many = VectorArray.ones(unknowns, 1), VectorArray.random(unknowns, 16, { seed = 7 })
      A:factorize()
      local function next_matrix()
        r = r + 0.01
        return SparseMatrix.lincomb({ r }, { A })
      end
      return {
        ["apply"] = { function() return A:apply(b) end },
        ["apply to 16"] = { function() return A:apply(many) end },
        ["refactorise"] = { function(B) return B:factorize() end, next_matrix },
        ["refactorise + solve"] = { function(B) return B:apply_inverse(b) end, next_matrix },
        ["solve"] = { function() return A:apply_inverse(b) end },
        ["solve with 16"] = { function() return A:apply_inverse(many) end },
      }
    end)
end

local current
local rows = {}
for name in io.lines() do
  if name == "rows" then
    print(table.concat(names, ";"))
  else
    local maker = makers[name]
    if maker.make ~= current then
      for key in pairs(rows) do rows[key] = nil end -- before the next ones are made
      collectgarbage()
      current, rows = maker.make, maker.make()
    end
    print(samples(table.unpack(rows[maker.name])))
  end
  io.flush()
end
