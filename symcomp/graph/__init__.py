"""What an expression is: types, sizes, expressions, operations, functions of real numbers,
equations, walks.
"""
