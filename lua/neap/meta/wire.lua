---@meta host.wire

--- Lua values as bytes, and back: what crosses between the driver and its workers.
---@class host.wire
local wire = {}

--- Values, encoded; `#parcel` is the number of bytes, those of blocks included.
---@class host.wire.Parcel
local Parcel = {}

--- The parcel as one string, as encode gives it.
---@return string
---@nodiscard
function Parcel:bytes() end

--- The values as a string that stands alone: functions and classes are in it. What cannot cross
--- raises an error with the path to it.
---@param ... any
---@return string
---@nodiscard
function wire.encode(...) end

--- The same, without a copy into a string.
---@param ... any
---@return host.wire.Parcel
---@nodiscard
function wire.parcel(...) end

--- Items first to last of a list, as a list of its own.
---@param list table
---@param first integer
---@param last integer  less than first: an empty list
---@return string
---@nodiscard
function wire.encode_slice(list, first, last) end

--- The values that were encoded. Bytes that are no encoding raise "malformed message: ...".
---@param message string|host.wire.Parcel
---@return any ...
function wire.decode(message) end

--- Puts messages together again from bytes that come in pieces.
---@class host.wire.Reader
local Reader = {}

--- A message as it stands in its frame.
---@class host.wire.Message
---@field type integer     0 to 255
---@field flags integer    0 to 255
---@field request integer
---@field bytes string
---@field blocks string[]

---@param limit? integer  bytes that one message may have, its blocks included; default: any
---@return host.wire.Reader
---@nodiscard
function wire.reader(limit) end

--- Takes the next bytes, any number of them. After an error no more are taken.
---@param bytes string
---@return true?    nil when the bytes are no frames
---@return string?  what is wrong
---@return string?  "EPROTO" or "ENOMEM"
function Reader:feed(bytes) end

--- The next message that is whole, or nil.
---@return host.wire.Message?
function Reader:next() end

--- Has no message begun that is not whole?
---@return boolean
---@nodiscard
function Reader:is_idle() end

--- May be called any number of times.
function Reader:close() end

--- A second Lua state at the other end of the wire, in this process, for specs.
---@class host.wire.Peer
local Peer = {}

---@return host.wire.Peer
---@nodiscard
function wire.peer() end

--- What f(...) gives there; all of it crosses as it does between driver and worker.
---@param f function
---@param ... any
---@return any ...
function Peer:call(f, ...) end

--- Keeps a copy of the object there; the handle stands for it in calls.
---@param object any
---@return host.wire.Handle
function Peer:push(object) end

--- How many definitions (code of functions, classes) and how many bytes of values were sent.
---@return integer definitions
---@return integer bytes
function Peer:sent() end

--- May be called any number of times.
function Peer:close() end

---@class host.wire.Handle
local Handle = {}

--- The handle stands for nothing from now on.
function Handle:remove() end

return wire
