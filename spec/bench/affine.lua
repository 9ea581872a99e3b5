-- Times the evaluation of affine reduced models: neap spec/bench/affine.lua [N Q K R]
-- Medians over repetitions, microseconds per parameter; run it with OPENBLAS_NUM_THREADS=1 beside
-- others, though the kernel does not use the BLAS.
local array = require "host.array"
local Matrix = array.Matrix

local N, Q, K = tonumber(arg[1]) or 15, tonumber(arg[2]) or 9, tonumber(arg[3]) or 1
local R = tonumber(arg[4]) or math.min(136, K + Q * N)

local function random_matrix(m, n, f)
  local rows = {}
  for i = 1, m do
    rows[i] = {}
    for j = 1, n do rows[i][j] = f(i, j) end
  end
  return m > 0 and Matrix.from_table(rows) or Matrix.zeros(0, n)
end

math.randomseed(1)
local operators, rhs = {}, {}
for q = 1, Q do
  operators[q] = random_matrix(N, N, function(i, j)
    return i == j and 1 or 0.3 * (math.random() - 0.5) / N
  end)
end
for k = 1, K do rhs[k] = random_matrix(N, 1, function() return math.random() end) end
local residual = random_matrix(R, K + Q * N, function(i, j)
  return i <= j and math.random() - 0.5 or 0
end)

local function thetas(p)
  return random_matrix(Q, p, function() return 0.1 + 0.9 * math.random() end),
    random_matrix(K, p, function() return 1 end)
end

local function median(repetitions, count, f)
  local times = {}
  for r = 1, repetitions do
    local start = os.clock()
    f()
    times[r] = (os.clock() - start) / count * 1e6
  end
  table.sort(times)
  return times[(repetitions + 1) // 2], times[1]
end

local function report(name, count, repetitions, f)
  print(("%-44s %8.3f us   (best %.3f)"):format(name, median(repetitions, count, f)))
end

local system = array.affine(operators, rhs, residual)
local theta, thetaf = thetas(1)
local list, list_f = theta:to_table(), thetaf:to_table()
for q = 1, Q do list[q] = list[q][1] end
for k = 1, K do list_f[k] = list_f[k][1] end

print(("N = %d, Q = %d, K = %d, R = %d"):format(N, Q, K, R))
report("construction", 100, 51, function()
  for _ = 1, 100 do array.affine(operators, rhs, residual) end
end)
report("solve and estimate one, Matrix", 1000, 51, function()
  for _ = 1, 1000 do system:estimate(theta, thetaf) end
end)
report("solve and estimate one, list of numbers", 1000, 51, function()
  for _ = 1, 1000 do system:estimate(list, list_f) end
end)
report("solve one, list of numbers", 1000, 51, function()
  for _ = 1, 1000 do system:solve(list, list_f) end
end)
for _, p in ipairs { 8, 64, 10000 } do
  local batch, batch_f = thetas(p)
  local times = p < 1000 and 100 or 1
  report(("solve and estimate %d, per parameter"):format(p), p * times, 51, function()
    for _ = 1, times do system:estimate(batch, batch_f) end
  end)
  report(("solve %d, per parameter"):format(p), p * times, 51, function()
    for _ = 1, times do system:solve(batch, batch_f) end
  end)
end
