--- Runs one of the scenarios below with the k-th request for memory failing, for k = 1, 2, ...
--- until none fails any more. After each the state is what it was before: no allocation, block,
--- descriptor, process or remote object more. To be run with failing.so preloaded.
--
--     LD_PRELOAD=build/failing.so neap spec/support/failing_driver.lua SCENARIO
local folder = assert(require "lfs".symlinkattributes("/proc/self/exe", "target")):match "^(.*)/"
package.cpath = folder .. "/?.so;" .. package.cpath
local failing = require "failing"
local leaks = require "spec.support.leaks"
local neap = require "neap"
local wire = require "host.wire"

local VectorArray, Matrix, SparseMatrix = neap.VectorArray, neap.Matrix, neap.SparseMatrix

-- Each returns what is run under the failing allocator, and what looks whether all is well then.
local scenarios = {}

function scenarios.vectorarray()
  return function()
    local U = VectorArray.random(300, 4, { seed = 1 })
    local V = VectorArray.from_table { { 1, 2 }, { 3, 4 } }
    local W = VectorArray.from_function(3, 2, function(i, j) return i + j end)
    local big = VectorArray.zeros(100000, 1)
    local C = U:copy()
    C:append(U)
    C[1]:scal(2)
    C:delete { 2, 3 }
    return U:inner(U), V:lincomb { 1, 2 }, W:to_table(), big:norm(), tostring(U), U[{ 1, 3 }]
  end
end

function scenarios.matrix()
  return function()
    local A = Matrix.from_table { { 4, 1 }, { 1, 3 } }
    local B = Matrix.identity(2) + A * A
    return B:solve(A), B:lu(), B:cholesky(), B:qr(), B:svd(), A:eigh(), A:T(), A:to_table(),
      A:norm()
  end
end

function scenarios.complex()
  local i = neap.complex(0, 1)
  return function()
    local U = VectorArray.from_table { { i, 2 }, { 3, 4 } }
    local V = VectorArray.ones(2, 2)
    V:scal(i)
    V:append(U)
    local A = Matrix.from_table { { 4, i }, { -i, 3 } }
    local S = SparseMatrix.from_triplets(2, 2, { 1, 2, 2 }, { 1, 2, 1 }, { 4 + i, 5, 1 })
    local H = S + S:H()
    return U:to_table(), U:inner(V), U:real(), A:solve(Matrix.identity(2)), A:eigh(), A:svd(),
      A:real():solve(A), H:apply_inverse(U), H:H(), S:apply_inverse(U),
      S:real():apply_inverse(U), S:H(), S * A, wire.decode(wire.encode(U, i))
  end
end

function scenarios.sparse()
  local U = VectorArray.ones(3, 2)
  return function()
    local A = SparseMatrix.from_triplets(3, 3, { 1, 2, 3, 1 }, { 1, 2, 3, 2 }, { 4, 5, 6, 1 })
    local S = SparseMatrix.lincomb({ 2, 3 }, { A, A })
    local D = SparseMatrix.from_triplets(3, 3, { 1, 2, 3 }, { 1, 2, 3 }, { 4, 5, 6 })
    return S:apply(U), A:apply_inverse(U), D:apply_inverse(U), A:T(), A:to_matrix(), A:triplets()
  end
end

local function values()
  local Class = { __name = "Sample" }
  Class.__index = Class
  local n, shared = 0, { "shared" }
  return { 1, 2.5, ("long"):rep(50), shared, { shared, x = shared }, { 1, 2, 3 }, { 1.5, 2.5 },
    function() n = n + 1 return n, shared end, math.sin, string, setmetatable({}, Class),
    VectorArray.ones(3, 2), VectorArray.ones(1000, 2), VectorArray.ones(40000, 1),
    neap.immutable { 1, { 2 } } }
end

function scenarios.encode()
  local list = values()
  return function() return #wire.encode(table.unpack(list)) end
end

function scenarios.decode()
  local bytes = wire.encode(table.unpack(values()))
  return function()
    local reader <close> = wire.reader()
    assert(reader:feed(bytes))
    return assert(reader:next()), wire.decode(bytes)
  end
end

function scenarios.files()
  local path = os.tmpname()
  local U = VectorArray.random(5, 3, { seed = 2 })
  local A = SparseMatrix.from_triplets(2, 2, { 1, 2 }, { 1, 2 }, { 1, 2 })
  return function()
    neap.save(path .. ".npy", U)
    neap.save(path .. ".mtx", A)
    neap.save(path .. ".csv", U)
    return neap.load(path .. ".npy"), neap.load(path .. ".mtx"), neap.load(path .. ".csv")
  end, nil, function()
    for _, extension in ipairs { "", ".npy", ".mtx", ".csv" } do os.remove(path .. extension) end
  end
end

-- Cells and structs, compressed and not, and matio's requests as well.
function scenarios.mat()
  local path = os.tmpname()
  local A = SparseMatrix.from_triplets(2, 2, { 1, 2 }, { 1, 2 }, { 1, neap.complex(0, 2) })
  local object = { A = A, s = { a = 1, b = { "x", true } }, U = VectorArray.random(5, 3) }
  neap.save(path .. ".mat", object)
  neap.load(path .. ".mat") -- the module is loaded
  return function()
    neap.save(path .. ".mat", object)
    return neap.load(path .. ".mat"), neap.load "spec/host/array/files/compressed.mat"
  end, nil, function()
    for _, extension in ipairs { "", ".mat" } do os.remove(path .. extension) end
  end
end

-- Calls of every kind; handles of what they made are gone afterwards.
local function calls(pool)
  local U = VectorArray.ones(50000, 2)
  local pushed <close> = pool:push { 1, U }
  local scattered <close> = pool:scatter_array(U)
  local kept <close> = pool:keep(function(V) return #V end, scattered)
  pool:apply(function(t) t[1] = 2 end, pushed)
  local squares = pool:map(function(i, kw) return i * i + kw.k end, neap.range(1, 20),
    neap.kw { k = 1 })
  assert(squares[20] == 401)
  assert(kept:get(1) == 2 // #pool + (2 % #pool > 0 and 1 or 0))
  return pool:gather_array(scattered), pool:apply_only(function() return {} end, 1)
end

local function check_pool(pool)
  local function answer()
    for _ = 1, 3 do collectgarbage() end
    return 42
  end
  assert(pool:apply(answer)[1] == 42)
  return pool:status()[1].objects
end

local function on_pool(workers)
  local pool = neap.pool { workers = workers }
  calls(pool)
  return function() return calls(pool) end, function() return check_pool(pool) end,
    function() pool:close() end
end

function scenarios.inline_calls() return on_pool(0) end
function scenarios.calls() return on_pool(2) end

-- Futures that were made are done some time, whatever has failed; here all are waited for.
local function submitting(workers)
  local pool, futures = neap.pool { workers = workers }, {}
  return function()
    futures = {}
    local object <close> = pool:push { 1 } -- what stays has a journal, now longer, now shorter
    for i = 1, 5 do
      futures[i] = pool:submit(function(t, n) return { t[1], n } end, object, i)
    end
    futures[6] = pool:map_async(function(i) return i end, neap.range(1, 9))
    futures[7] = pool:apply_async(function(t) return t[1] end, object)
    for i = 1, 5 do assert(futures[i]:get()[2] == i) end
    assert(futures[6]:get()[9] == 9 and futures[7]:get()[1] == 1)
    return pool:reduce(function(i) return i end, neap.range(1, 9), math.max)
  end, function()
    for i, future in ipairs(futures) do
      assert(future._call:wait(20), ("Future %d is waited for in vain"):format(i))
    end
    futures = {}
    return check_pool(pool)
  end, function() pool:close() end
end

function scenarios.inline_futures() return submitting(0) end
function scenarios.futures() return submitting(2) end

local function opening(workers)
  neap.pool { workers = 1 }:close() -- libuv aborts where its first loop finds no memory
  require "neap.pool" -- a module that cannot be read for want of memory is not found, says Lua
  return function()
    local pool <close> = neap.pool { workers = workers, setup = function() end }
    return check_pool(pool)
  end
end

function scenarios.inline_open() return opening(0) end
function scenarios.open() return opening(2) end

-- --- the loop -----------------------------------------------------------------------------------

local function settle()
  for _ = 1, 3 do collectgarbage() end
end

-- Of the requests for at least so many bytes k to k + width - 1 fail, for every k; how many there
-- were, how many were refused.
local function pass(f, check, width, least)
  local objects, refused, k = check and check(), 0, 0
  repeat
    k = k + 1
    failing.arm(k, k + width - 1, least)
    local ok, e = pcall(f)
    local count = failing.disarm()
    if not ok then
      refused = refused + 1
      local text = tostring(e):lower()
      if not text:find("memory", 1, true) then
        error(("request %d: %s"):format(k, tostring(e)), 0)
      end
    end
    local now
    if check then
      settle()
      now = check()
    end
    assert(now == objects, ("request %d: %s objects instead of %s"):format(k, now, objects))
  until count < k
  settle()
  return k - 1, refused, failing.live()
end

-- One request and the attempt after a collection that Lua makes; or everything that is not small:
-- without any memory at all Lua cannot even call a finalizer.
local modes = { { 2, 0 }, { 1 << 40, 512 } }

local f, check, finish = scenarios[arg[1]]()
for _, mode in ipairs(modes) do
  local width, least = table.unpack(mode)
  pass(f, check, width, least) -- what stays from the first time
  local before = leaks.snapshot()
  local _, _, first = pass(f, check, width, least)
  local requests, refused, second = pass(f, check, width, least)
  for _ = 1, 2 do -- tables that grow do so once; what gets lost does each time
    if second <= first then break end
    first = second
    requests, refused, second = pass(f, check, width, least)
  end
  local left = leaks.more_since(before)
  if second > first then left[#left + 1] = ("%d allocations"):format(second - first) end
  if #left > 0 then error("left behind: " .. table.concat(left, ", "), 0) end
  print(("%s: %d requests, %d refused"):format(arg[1], requests, refused))
end
if finish then finish() end
