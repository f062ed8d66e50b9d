"""The tables of families tell what they compared, as tests do."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("family_tables")
