--- VectorArray, Matrix and SparseMatrix against NumPy and SciPy on the same OpenBLAS.
--
--     build/neap spec/bench/arrays.lua [PATTERN [ROUNDS [THREADS [CORE]]]]
--
-- With one and two BLAS threads, and with OPENBLAS_CORETYPE unset and set, neap
-- (spec/bench/array_rows.lua) and its peer (spec/bench/peers/arrays.py) measure each row in turn,
-- so that what else runs on the machine meets both. The table has the median of all samples with
-- the least and the largest one in microseconds, the ratios peer / neap of the medians and of the
-- least ones, which suffer least from neighbours, and what the first must reach; the last line
-- counts the rows that miss it. PATTERN (Lua's) selects rows; THREADS one number of threads; CORE
-- "unset" or a value of OPENBLAS_CORETYPE. $PYTHON runs the peer, python3 by default; it needs
-- NumPy and SciPy.
local neap = require "neap"
local measure = require "spec.bench.measure"
local problems = require "neap.problems"

local pattern = arg[1] or ""
local rounds = math.tointeger(tonumber(arg[2] or 3))
local only_threads = math.tointeger(tonumber(arg[3] or 0))
local only_core = arg[4]
local here = arg[0]:match("^(.*)/") or "."

-- What the ratio of a row must reach: of small cases calls count more than numbers, and a
-- refactorisation does without the analysis that SciPy repeats.
local function bound_of(row)
  if row:find " 100 x 10$" then return 5 end
  if row:find "^refactorise %d" then return 2 end
  return 1
end

local function quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

-- What the rows of sparse matrices work on: the thermal block for one mu, as both sides read it.
local function write_matrices(folder)
  for name, n in pairs { small = 70, large = 282 } do
    local fom = problems.thermal_block { blocks = { 2, 2 }, n = n }
    local A = fom.operator:assemble({ diffusion = { 0.1, 0.4, 0.7, 1 } }).matrix
    neap.save(("%s/%s.mtx"):format(folder, name), A)
    local triplets = neap.VectorArray.from_table { A:triplets() }
    neap.save(("%s/%s.npy"):format(folder, name), triplets)
  end
end

-- A side reads names of rows, one a line, and answers each with its seconds, one line of samples.
local function start(folder, name, command)
  local fifo = ("%s/%s.fifo"):format(folder, name)
  assert(os.execute("mkfifo " .. fifo))
  local requests = assert(io.popen(("%s %s >%s"):format(command, folder, fifo), "w"))
  local side = { requests = requests, replies = assert(io.open(fifo)), path = fifo, name = name }
  requests:setvbuf("line")
  return side
end

local function ask(side, request)
  side.requests:write(request, "\n")
  return side.replies:read("l") or error(side.name .. " has ended")
end

local function stop(side)
  side.requests:close()
  side.replies:close()
  os.remove(side.path)
end

local function add_samples(list, line)
  for seconds in line:gmatch("%S+") do list[#list + 1] = tonumber(seconds) * 1e6 end
end

local n_rows, missed = 0, {}

local function compare(own, peer, row, configuration)
  local a, b = {}, {}
  for _ = 1, rounds do
    add_samples(a, ask(own, row))
    add_samples(b, ask(peer, row))
  end
  local median_a, least_a, most_a = measure.summary(a)
  local median_b, least_b, most_b = measure.summary(b)
  local ratio, bound = median_b / median_a, bound_of(row)
  n_rows = n_rows + 1
  if ratio < bound then
    missed[#missed + 1] = ("%s (%s): %.2f"):format(row, configuration, ratio)
  end
  print(("%-27s %10.2f [%.2f - %.2f]  %10.2f [%.2f - %.2f]  %6.2f %6.2f  %s %g"):format(row,
    median_a, least_a, most_a, median_b, least_b, most_b, ratio, least_b / least_a,
    ratio < bound and "MISSES" or "reaches", bound))
end

local function run(threads, core, folder)
  local environment = ("env -u OPENBLAS_CORETYPE OPENBLAS_NUM_THREADS=%d %s"):format(threads,
    core ~= "unset" and "OPENBLAS_CORETYPE=" .. quote(core) or "")
  local own = start(folder, "neap", ("%s %s %s/array_rows.lua"):format(environment,
    quote(arg[-1]), quote(here)))
  local peer = start(folder, "peer", ("%s %s %s/peers/arrays.py"):format(environment,
    quote(os.getenv("PYTHON") or "python3"), quote(here)))
  local configuration = ("BLAS threads: %d, OPENBLAS_CORETYPE: %s"):format(threads, core)
  print(("\n%s\nmicroseconds: neap, NumPy or SciPy, ratios of medians and of the least, bound")
    :format(configuration))
  for row in ask(own, "rows"):gmatch("[^;]+") do
    if row:find(pattern) then compare(own, peer, row, configuration) end
  end
  stop(own)
  stop(peer)
end

local folder = os.tmpname()
os.remove(folder)
assert(os.execute("mkdir " .. folder))
write_matrices(folder)
for _, core in ipairs(only_core and { only_core }
  or { "unset", os.getenv("OPENBLAS_CORETYPE") or "Haswell" }) do
  for threads = 1, 2 do
    if only_threads == 0 or only_threads == threads then run(threads, core, folder) end
  end
end
os.execute("rm -r " .. folder)
print(("\n%d of %d rows miss their bound"):format(#missed, n_rows))
for _, row in ipairs(missed) do print("  " .. row) end
