--- A module with a class, a function, data and a hidden counter, for specs of the wire.
local Shape = { __name = "Shape" }
Shape.__index = Shape

local M = { Shape = Shape, options = { colour = "red" } }
local count = 0

function M.new(area)
  count = count + 1
  return setmetatable({ area = area }, Shape)
end

function M.count() return count end

function Shape:double() return 2 * self.area end

return M
