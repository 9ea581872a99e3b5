---@meta

--- A complex number. It does not change, equals another one when both parts are equal (never a
--- plain number), and combines with plain numbers; the result is complex then.
---@class complex
---@field re number
---@field im number
---@operator add(complex|number): complex
---@operator sub(complex|number): complex
---@operator mul(complex|number): complex
---@operator div(complex|number): complex
---@operator pow(complex|number): complex
---@operator unm: complex
local complex = {}

---@return number  the absolute value
---@nodiscard
function complex:abs() end

---@return number  the angle, in (-pi, pi]
---@nodiscard
function complex:arg() end

---@return complex
---@nodiscard
function complex:conj() end

---@return complex  the root with a real part that is not negative
---@nodiscard
function complex:sqrt() end

---@return complex
---@nodiscard
function complex:exp() end

---@class neap
local neap = {}

---@param re number
---@param im? number  0 by default
---@return complex
---@nodiscard
function neap.complex(re, im) end
