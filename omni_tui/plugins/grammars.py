"""Grammars: how the definitions of a language look in the tree that tree-sitter makes of a file, as queries on it.

A query captures the name of each definition that other files, or a task's text, may mean: functions, methods, classes,
types, and what a module or a class holds for good. Names of locals, parameters and fields are none.
"""

from __future__ import annotations

from pathlib import PurePosixPath

import msgspec


class Grammar(msgspec.Struct, frozen=True, kw_only=True):
    """One language: whose package holds it, under which name there, and what its definitions look like."""

    package: str
    suffixes: str
    """Of the files that are written in it, with spaces between them."""
    function: str = "language"
    query: str


_PYTHON = """
(function_definition name: (identifier) @name)
(class_definition name: (identifier) @name)
(type_alias_statement left: (type (identifier) @name))
(module (expression_statement (assignment left: (identifier) @name)))
"""
_JAVASCRIPT = """
(function_declaration name: (identifier) @name)
(generator_function_declaration name: (identifier) @name)
(class_declaration name: (_) @name)
(method_definition name: (_) @name)
(program (lexical_declaration (variable_declarator name: (identifier) @name)))
(program (variable_declaration (variable_declarator name: (identifier) @name)))
(program (export_statement (lexical_declaration (variable_declarator name: (identifier) @name))))
(variable_declarator name: (identifier) @name value: [(arrow_function) (function_expression)])
(pair key: (property_identifier) @name value: [(arrow_function) (function_expression)])
(program (expression_statement (assignment_expression left: (member_expression property: (property_identifier) @name))))
"""
_FIELD = "(field_definition property: (_) @name value: [(arrow_function) (function_expression)])"
_TYPESCRIPT = """
(public_field_definition name: (_) @name value: [(arrow_function) (function_expression)])
(abstract_class_declaration name: (_) @name)
(abstract_method_signature name: (_) @name)
(function_signature name: (identifier) @name)
(method_signature name: (_) @name)
(interface_declaration name: (_) @name)
(enum_declaration name: (_) @name)
(type_alias_declaration name: (_) @name)
(internal_module name: (identifier) @name)
(module name: (identifier) @name)
(ambient_declaration (lexical_declaration (variable_declarator name: (identifier) @name)))
"""
_GO = """
(function_declaration name: (identifier) @name)
(method_declaration name: (field_identifier) @name)
(method_elem name: (field_identifier) @name)
(type_spec name: (type_identifier) @name)
(type_alias name: (type_identifier) @name)
(source_file (const_declaration (const_spec name: (identifier) @name)))
(source_file (var_declaration (var_spec name: (identifier) @name)))
(source_file (var_declaration (var_spec_list (var_spec name: (identifier) @name))))
"""
_RUST = """
(function_item name: (identifier) @name)
(function_signature_item name: (identifier) @name)
(struct_item name: (type_identifier) @name)
(enum_item name: (type_identifier) @name)
(union_item name: (type_identifier) @name)
(trait_item name: (type_identifier) @name)
(type_item name: (type_identifier) @name)
(mod_item name: (identifier) @name)
(const_item name: (identifier) @name)
(static_item name: (identifier) @name)
(macro_definition name: (identifier) @name)
"""
_JAVA = """
(class_declaration name: (identifier) @name)
(interface_declaration name: (identifier) @name)
(enum_declaration name: (identifier) @name)
(record_declaration name: (identifier) @name)
(annotation_type_declaration name: (identifier) @name)
(method_declaration name: (identifier) @name)
(constant_declaration declarator: (variable_declarator name: (identifier) @name))
(field_declaration (modifiers "static") declarator: (variable_declarator name: (identifier) @name))
"""
_C = """
(function_definition declarator: (function_declarator declarator: (_) @name))
(function_definition declarator: (_ (function_declarator declarator: (_) @name)))
(function_definition declarator: (_ (_ (function_declarator declarator: (_) @name))))
(struct_specifier name: (_) @name body: (_))
(union_specifier name: (_) @name body: (_))
(enum_specifier name: (_) @name body: (_))
(type_definition declarator: (type_identifier) @name)
(preproc_def name: (identifier) @name)
(preproc_function_def name: (identifier) @name)
"""
_CPP = """
(class_specifier name: (_) @name body: (_))
(namespace_definition name: (_) @name)
(alias_declaration name: (type_identifier) @name)
(concept_definition name: (identifier) @name)
"""
_RUBY = """
(method name: (_) @name)
(singleton_method name: (_) @name)
(class name: (_) @name)
(module name: (_) @name)
(assignment left: (constant) @name)
"""

GRAMMARS = (
    Grammar(package="tree_sitter_python", suffixes="py pyi", query=_PYTHON),
    Grammar(package="tree_sitter_javascript", suffixes="js jsx mjs cjs", query=_JAVASCRIPT + _FIELD),
    Grammar(
        package="tree_sitter_typescript",
        function="language_typescript",
        suffixes="ts mts cts",
        query=_JAVASCRIPT + _TYPESCRIPT,
    ),
    Grammar(package="tree_sitter_typescript", function="language_tsx", suffixes="tsx", query=_JAVASCRIPT + _TYPESCRIPT),
    Grammar(package="tree_sitter_go", suffixes="go", query=_GO),
    Grammar(package="tree_sitter_rust", suffixes="rs", query=_RUST),
    Grammar(package="tree_sitter_java", suffixes="java", query=_JAVA),
    Grammar(package="tree_sitter_c", suffixes="c", query=_C),
    # A header does not tell which of the two it is; what reads C++ reads C, too.
    Grammar(package="tree_sitter_cpp", suffixes="h cc cpp cxx hh hpp hxx", query=_C + _CPP),
    Grammar(package="tree_sitter_ruby", suffixes="rb rake", query=_RUBY),
)
_BY_SUFFIX = {suffix: grammar for grammar in GRAMMARS for suffix in grammar.suffixes.split()}


def grammar_of(path: str) -> Grammar | None:
    """Return the grammar of a file by its name; None: there is none for it."""
    return _BY_SUFFIX.get(PurePosixPath(path).suffix.lstrip(".").lower())
