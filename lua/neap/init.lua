local array = require "host.array"

--- neap: model reduction on a pool of workers.
---@class neap
local neap = {}

neap.VectorArray = array.VectorArray
neap.Matrix = array.Matrix
neap.SparseMatrix = array.SparseMatrix
neap.load = array.load
neap.save = array.save

return neap
