-- Times sparse matrices: neap spec/bench/sparse.lua [points a side]
-- The five-point Laplacian, and the same with convection, which makes it nonsymmetric. Medians in
-- milliseconds; run it with OPENBLAS_NUM_THREADS=1.
local neap = require "neap"
local SparseMatrix, VectorArray = neap.SparseMatrix, neap.VectorArray

local m = tonumber(arg[1]) or 100

local function laplacian(convection)
  local rows, cols, values = {}, {}, {}
  local function add(i, j, x)
    rows[#rows + 1], cols[#cols + 1], values[#values + 1] = i, j, x
  end
  for y = 0, m - 1 do
    for x = 0, m - 1 do
      local i = 1 + x + m * y
      add(i, i, 4)
      if x > 0 then add(i, i - 1, -1 - convection) end
      if x < m - 1 then add(i, i + 1, -1 + convection) end
      if y > 0 then add(i, i - m, -1) end
      if y < m - 1 then add(i, i + m, -1) end
    end
  end
  return SparseMatrix.from_triplets(m * m, m * m, rows, cols, values)
end

local function report(name, repetitions, f, prepare)
  local times = {}
  for r = 1, repetitions do
    local x = prepare and prepare(r)
    local start = os.clock()
    f(x)
    times[r] = (os.clock() - start) * 1e3
  end
  table.sort(times)
  print(("  %-40s %9.3f   (best %.3f)"):format(name, times[(repetitions + 1) // 2], times[1]))
end

for _, convection in ipairs { 0, 0.3 } do
  local name = convection == 0 and "symmetric" or "nonsymmetric"
  local A, B = laplacian(convection), laplacian(convection)
  local one, many = VectorArray.ones(m * m, 1), VectorArray.ones(m * m, 16)
  local function assemble(r) return SparseMatrix.lincomb({ 1, r / 10 }, { A, B }) end
  print(("%s, %d unknowns, %d entries"):format(name, m * m, A.nnz))
  report("assemble from 2 matrices", 51, function() return assemble(1) end)
  report("apply", 51, function() return A:apply(one) end)
  report("apply to 16 vectors", 51, function() return A:apply(many) end)
  report("first factorisation", 1, function() A:factorize() end)
  report("factorisation, same pattern", 15, function(C) C:factorize() end, assemble)
  report("solve", 15, function() return A:apply_inverse(one) end)
  report("solve with 16 right-hand sides", 5, function() return A:apply_inverse(many) end)
end
