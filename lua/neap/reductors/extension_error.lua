--- What extend_basis raises when the basis does not grow.
local class = require "neap.class"

---@class ExtensionError
---@field message string
local ExtensionError = class("neap.ExtensionError")

function ExtensionError._fields(message) return { message = message } end

function ExtensionError:__tostring() return self.message end

return ExtensionError
