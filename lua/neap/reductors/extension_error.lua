--- What extend_basis raises when the basis does not grow.
local blame = require "neap.blame"
local class = require "neap.class"

---@class ExtensionError
---@field message string
local ExtensionError = class("neap.ExtensionError")

-- The message gets the position of the user's code.
function ExtensionError._fields(message)
  return { message = select(2, pcall(blame, message)) }
end

function ExtensionError:__tostring() return self.message end

return ExtensionError
