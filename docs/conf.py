from importlib.util import find_spec

from weft import __version__

project = "weft"
author = "The weft authors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
autodoc_typehints = "description"
autodoc_member_order = "bysource"
# The docs build without the extra gnn.
autodoc_mock_imports = [name for name in ("torch", "torch_geometric") if find_spec(name) is None]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"weft {version}"
html_static_path = ["_static"]
# The README and the changelog are included from the root, where their relative links lead elsewhere.
suppress_warnings = ["myst.xref_missing"]
