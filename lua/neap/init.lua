local array = require "host.array"

--- neap: model reduction on a pool of workers.
---@class neap
local neap = {}

neap.VectorArray = array.VectorArray
neap.Matrix = array.Matrix

return neap
