"""What a formatted answer is made of: formulas, tables, documents; the same tree is drawn and read."""
