std = "lua54"
self = false
max_line_length = 100
include_files = { "**/*.lua", ".busted", ".luacheckrc" }
exclude_files = { "build", "build-*" }
ignore = { "581" } -- not (x > 0) is not x <= 0 when x is NaN
files["spec"] = { std = "lua54+busted" }
files[".luacheckrc"] = { std = "luacheckrc" }
files["lua/neap/meta"] = { unused = false } -- signatures without bodies
