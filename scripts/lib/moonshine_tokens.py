#!/usr/bin/env python3
"""Writes the tokens.txt that sherpa-onnx wants from Moonshine's tokenizer.bin.

tokenizer.bin is a plain sequence of entries: one length byte (128 or more: its low seven bits plus 128 times the next
byte), then that many bytes. tokens.txt has one line an entry: base64 of the bytes, a space, the index.
usage: moonshine_tokens.py TOKENIZER_BIN TOKENS_TXT
"""
import base64
import sys


def read_tokens(data):
    tokens, at = [], 0
    while at < len(data):
        length, at = data[at], at + 1
        if length >= 128:
            length, at = (length & 127) + 128 * data[at], at + 1
        if at + length > len(data):
            raise ValueError(f"entry {len(tokens)} runs past the end of the file")
        tokens.append(data[at : at + length])
        at += length
    return tokens


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], "rb") as source:
        tokens = read_tokens(source.read())
    with open(sys.argv[2], "w", encoding="ascii") as target:
        for index, token in enumerate(tokens):
            target.write(f"{base64.b64encode(token).decode('ascii')} {index}\n")


if __name__ == "__main__":
    main()
