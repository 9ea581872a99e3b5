local array = require "host.array"

--- neap: model reduction on a pool of workers.
---@class neap
local neap = {}

neap.VectorArray = array.VectorArray
neap.Matrix = array.Matrix
neap.SparseMatrix = array.SparseMatrix
neap.complex = array.complex
neap.load = array.load
neap.save = array.save

-- What is loaded at its first use: field of neap -> module, field of that.
local lazy = {
  pool = { "neap.pool", "open" },
  kw = { "neap.pool", "kw" },
  range = { "neap.pool", "range" },
  wait_any = { "neap.pool", "wait_any" },
  wait_all = { "neap.pool", "wait_all" },
  RemoteObjectManager = { "neap.pool", "RemoteObjectManager" },
  WorkerError = { "neap.pool", "WorkerError" },
  immutable = { "host.immutable", "immutable" },
  is_immutable = { "host.immutable", "is_immutable" },
}

return setmetatable(neap, {
  __index = function(t, name)
    local place = lazy[name]
    if not place then return nil end
    local value = require(place[1])[place[2]]
    t[name] = value
    return value
  end,
})
