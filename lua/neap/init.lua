--- neap: model reduction on a pool of workers.
---@class neap
local neap = {}

return neap
