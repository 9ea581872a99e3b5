--- P1 finite elements on the unit square: n x n squares, each cut by both diagonals.
--
-- The vertices of the squares come first, row by row from the bottom, then the centers. The four
-- triangles of a square are right-angled and isosceles, with the right angle at the center, so
-- their stiffness does not depend on n and does not couple two corners.
local neap = require "neap"
local class = require "neap.class"

---@class CrisscrossGrid
---@field n integer         squares in each direction
---@field dim integer       number of vertices
---@field boundary integer[] vertices on the boundary, ascending
local CrisscrossGrid = class("neap.CrisscrossGrid", nil, { immutable = true })

function CrisscrossGrid._fields(n)
  if math.type(n) ~= "integer" or n < 1 then
    error(("n: positive integer expected, got %s"):format(tostring(n)), 3)
  end
  local boundary = {}
  for j = 0, n do
    for i = 0, n do
      if i == 0 or i == n or j == 0 or j == n then
        boundary[#boundary + 1] = j * (n + 1) + i + 1
      end
    end
  end
  return { n = n, dim = (n + 1) * (n + 1) + n * n, boundary = boundary }
end

-- The vertices of square (i, j), counted from 0: bottom left and right, top left and right,
-- center.
local function corners(n, i, j)
  local a = j * (n + 1) + i + 1
  return a, a + 1, a + n + 1, a + n + 2, (n + 1) * (n + 1) + j * n + i + 1
end

-- is_inner[v]: does vertex v keep its row and column?
local function inner_vertices(self)
  local is_inner = {}
  for v = 1, self.dim do is_inner[v] = true end
  for _, v in ipairs(self.boundary) do is_inner[v] = false end
  return is_inner
end

-- A list of triplets that grows; entries at the boundary are left out.
local function triplets(is_inner)
  local rows, cols, entries, k = {}, {}, {}, 0
  local function add(i, j, x)
    if is_inner[i] and is_inner[j] then
      k = k + 1
      rows[k], cols[k], entries[k] = i, j, x
    end
  end
  local function matrix(dim)
    return neap.SparseMatrix.from_triplets(dim, dim, rows, cols, entries)
  end
  return add, matrix
end

-- The stiffness of the triangle with corners a, b and center e.
local function add_triangle(add, a, b, e)
  add(a, a, 0.5)
  add(b, b, 0.5)
  add(e, e, 1.0)
  add(a, e, -0.5)
  add(e, a, -0.5)
  add(b, e, -0.5)
  add(e, b, -0.5)
end

-- The whole of a square.
local function add_square(add, a, b, c, d, e)
  add(e, e, 4.0)
  for _, corner in ipairs { a, b, c, d } do
    add(corner, corner, 1.0)
    add(corner, e, -1.0)
    add(e, corner, -1.0)
  end
end

--- The stiffness matrices of the parts of the square, without the rows and columns of the
--- boundary. A triangle belongs to the part that its center of gravity lies in.
---@param nx integer  parts in x
---@param ny integer  parts in y
---@return SparseMatrix[]  row by row from the bottom
---@nodiscard
function CrisscrossGrid:stiffness_by_block(nx, ny)
  local n, is_inner = self.n, inner_vertices(self)
  local adders, matrices = {}, {}
  for q = 1, nx * ny do adders[q], matrices[q] = triplets(is_inner) end
  -- x, y in units of a sixth of a square, odd for every center of gravity
  local function part(x, y)
    return adders[y * ny // (6 * n) * nx + x * nx // (6 * n) + 1]
  end
  for j = 0, n - 1 do
    for i = 0, n - 1 do
      local a, b, c, d, e = corners(n, i, j)
      local bottom, top = part(6 * i + 3, 6 * j + 1), part(6 * i + 3, 6 * j + 5)
      local left, right = part(6 * i + 1, 6 * j + 3), part(6 * i + 5, 6 * j + 3)
      if bottom == top and left == right and bottom == left then
        add_square(bottom, a, b, c, d, e)
      else
        add_triangle(bottom, a, b, e)
        add_triangle(right, b, d, e)
        add_triangle(top, d, c, e)
        add_triangle(left, c, a, e)
      end
    end
  end
  for q = 1, #matrices do matrices[q] = matrices[q](self.dim) end
  return matrices
end

--- The identity on the boundary, zero elsewhere.
---@return SparseMatrix
---@nodiscard
function CrisscrossGrid:boundary_identity()
  local ones = {}
  for k = 1, #self.boundary do ones[k] = 1.0 end
  return neap.SparseMatrix.from_triplets(self.dim, self.dim, self.boundary, self.boundary, ones)
end

--- The mass matrix without the rows and columns of the boundary.
---@return SparseMatrix
---@nodiscard
function CrisscrossGrid:mass()
  local n = self.n
  local add, matrix = triplets(inner_vertices(self))
  local unit = 1 / (48 * n * n) -- a twelfth of a triangle
  local function add_pair(v, w, x)
    add(v, w, x)
    add(w, v, x)
  end
  for j = 0, n - 1 do
    for i = 0, n - 1 do
      local a, b, c, d, e = corners(n, i, j)
      add(e, e, 8 * unit)
      for _, corner in ipairs { a, b, c, d } do
        add(corner, corner, 4 * unit)
        add_pair(corner, e, 2 * unit)
      end
      add_pair(a, b, unit)
      add_pair(b, d, unit)
      add_pair(d, c, unit)
      add_pair(c, a, unit)
    end
  end
  return matrix(self.dim)
end

--- The integrals of the basis functions.
---@param options? { boundary: boolean }  false: zero at the vertices of the boundary
---@return VectorArray [dim, 1]
---@nodiscard
function CrisscrossGrid:load(options)
  local n, dim = self.n, self.dim
  local third = 1 / (12 * n * n) -- of a triangle
  local counts = {} -- of triangles around a vertex
  for v = 1, dim do counts[v] = 0 end
  for j = 0, n - 1 do
    for i = 0, n - 1 do
      local a, b, c, d, e = corners(n, i, j)
      counts[a], counts[b] = counts[a] + 2, counts[b] + 2
      counts[c], counts[d] = counts[c] + 2, counts[d] + 2
      counts[e] = 4
    end
  end
  if options and options.boundary == false then
    for _, v in ipairs(self.boundary) do counts[v] = 0 end
  end
  for v = 1, dim do counts[v] = counts[v] * third end
  return neap.VectorArray.from_table { counts }
end

--- The values on a square raster of 2 n + 1 points a side, for pictures: vertices, centers, and
--- between them the means that the finite element function has there.
---@param U VectorArray  [dim, 1]
---@return number[][] rows  from the bottom
---@nodiscard
function CrisscrossGrid:raster(U)
  local n, u, rows = self.n, U:to_table()[1], {}
  for j = 0, 2 * n do
    local row = {}
    for i = 0, 2 * n do
      local x, y = i // 2, j // 2
      local v = y * (n + 1) + x + 1
      if i % 2 == 0 and j % 2 == 0 then
        row[i + 1] = u[v]
      elseif i % 2 == 1 and j % 2 == 1 then
        row[i + 1] = u[(n + 1) * (n + 1) + y * n + x + 1]
      elseif i % 2 == 1 then
        row[i + 1] = (u[v] + u[v + 1]) / 2
      else
        row[i + 1] = (u[v] + u[v + n + 1]) / 2
      end
    end
    rows[j + 1] = row
  end
  return rows
end

return CrisscrossGrid
