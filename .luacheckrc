std = "lua54"
max_line_length = 100
include_files = { "**/*.lua", ".busted", ".luacheckrc" }
exclude_files = { "build", "build-*" }
files["spec"] = { std = "lua54+busted" }
files[".luacheckrc"] = { std = "luacheckrc" }
files["lua/neap/meta"] = { unused = false } -- signatures without bodies
