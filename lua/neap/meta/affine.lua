---@meta host.array

--- A reduced system with affine parameter dependence, evaluated for many parameters at a time.
--- For a parameter with the coefficients theta (Q of them) and thetaf (K) it solves
---
---     sum_q theta[q] A_q u = sum_k thetaf[k] f_k        (N unknowns)
---
--- and takes the Euclidean norm of M w, where w stacks thetaf[1], ..., thetaf[K] and then, basis
--- vector by basis vector, theta[1] u[i], ..., theta[Q] u[i]. So column K + (i - 1) Q + q of M
--- belongs to A_q applied to basis vector i: a basis that grows only appends columns, and M is
--- upper trapezoidal when its rows belong to the range's basis in the order of
--- orthonormalisation. Zeros at the left of rows cost nothing.
---
--- The bits of a parameter's results depend on the system and its coefficients alone: neither on
--- the parameters beside it nor on their number, threads or processor.
---@class AffineSystem
local AffineSystem = {}

---@param theta Matrix | number[]   [Q, P], a parameter a column; or a list: one parameter
---@param thetaf Matrix | number[]  [K, P], alike
---@return Matrix  [N, P], a solution a column
---@nodiscard
function AffineSystem:solve(theta, thetaf) end

---@param theta Matrix | number[]   [Q, P], a parameter a column; or a list: one parameter
---@param thetaf Matrix | number[]  [K, P], alike
---@return number[] norms  P of them
---@return Matrix   U      [N, P], a solution a column
---@nodiscard
function AffineSystem:estimate(theta, thetaf) end

--- What estimate gives first, without keeping the solutions.
---@param theta Matrix | number[]   [Q, P], a parameter a column; or a list: one parameter
---@param thetaf Matrix | number[]  [K, P], alike
---@return number[] norms  P of them
---@nodiscard
function AffineSystem:norms(theta, thetaf) end

local array = {}

---@param operators Matrix[]  Q of them, at least one, [N, N]; N may be 0
---@param rhs Matrix[]        K of them, at least one, [N, 1]
---@param residual? Matrix    M, [R, K + Q N]; estimate needs it
---@return AffineSystem  with copies of all of them
---@nodiscard
function array.affine(operators, rhs, residual) end

return array
