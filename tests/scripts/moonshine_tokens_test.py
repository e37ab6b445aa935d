#!/usr/bin/env python3
"""tokens.txt from tokenizer.bin: short and long entries, the empty one, and files that end too early."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts", "lib"))
import moonshine_tokens  # noqa: E402


class ReadTokens(unittest.TestCase):
    def test_reads_short_empty_and_long_entries(self):
        long_entry = b"x" * 300  # 300 = 44 + 128 * 2
        data = b"\x02hi" + b"\x00" + bytes([128 + 44, 2]) + long_entry
        self.assertEqual(moonshine_tokens.read_tokens(data), [b"hi", b"", long_entry])

    def test_refuses_a_file_that_ends_too_early(self):
        with self.assertRaises(ValueError):
            moonshine_tokens.read_tokens(b"\x05hi")


if __name__ == "__main__":
    unittest.main()
