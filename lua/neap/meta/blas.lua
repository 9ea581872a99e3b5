---@meta host.array

local array = {}

--- How many threads BLAS runs on. Sums have other last bits on another number. Factorisations of
--- dense matrices of up to 160,000 entries run on one, whatever is set: there more only cost time.
---@param n? integer  the number from now on
---@return integer    the number before
function array.blas_threads(n) end

--- For which processor the kernels are that BLAS runs, as OPENBLAS_CORETYPE names it.
---@return string
---@nodiscard
function array.blas_kernels() end

return array
