//! What the nodes of each grammar are: which define something, which hold definitions, which only wrap one.
//!
//! Node names are those of the grammars' own `node-types.json`.

use std::sync::OnceLock;

use tree_sitter::Node;
use tree_sitter_language::LanguageFn;

use super::chunk::Kind;

/// What a node is to a chunker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Defines something; what is inside belongs to it.
    Leaf(Kind),
    /// Defines something whose members are definitions themselves.
    Holder(Kind),
    /// Stands around one definition (decorators, `export`) and belongs to it.
    Wrapper,
    /// Names of other files.
    Import,
    /// Describes what follows.
    Comment,
}

/// A grammar and the roles of its nodes.
pub(super) struct Grammar {
    pub(super) language: LanguageFn,
    /// Between the parts of a qualified name.
    pub(super) separator: &'static str,
    nodes: &'static [(&'static str, Role)],
    roles: OnceLock<Vec<Option<Role>>>,
}

use Kind::{Block, Class, Enum, Function, Interface, TypeAlias};
use Role::{Comment, Holder, Import, Leaf, Wrapper};

impl std::fmt::Debug for Grammar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grammar").finish_non_exhaustive()
    }
}

impl Grammar {
    const fn new(
        language: LanguageFn,
        separator: &'static str,
        nodes: &'static [(&'static str, Role)],
    ) -> Self {
        Self { language, separator, nodes, roles: OnceLock::new() }
    }

    /// What `node` is.
    pub(super) fn role(&self, node: &Node<'_>) -> Option<Role> {
        let roles = self.roles.get_or_init(|| {
            let language = tree_sitter::Language::new(self.language);
            let count = u16::try_from(language.node_kind_count()).unwrap_or(u16::MAX);
            let role = |id| {
                let name =
                    language.node_kind_for_id(id).filter(|_| language.node_kind_is_named(id))?;
                Some(self.nodes.iter().find(|(node, _)| *node == name)?.1)
            };
            (0..count).map(role).collect()
        });
        roles.get(usize::from(node.kind_id())).copied().flatten()
    }
}

pub(super) static RUST: Grammar = Grammar::new(
    tree_sitter_rust::LANGUAGE,
    "::",
    &[
        ("impl_item", Holder(Class)),
        ("trait_item", Holder(Interface)),
        ("mod_item", Holder(Block)),
        ("foreign_mod_item", Holder(Block)),
        ("function_item", Leaf(Function)),
        ("function_signature_item", Leaf(Function)),
        ("struct_item", Leaf(Class)),
        ("union_item", Leaf(Class)),
        ("enum_item", Leaf(Enum)),
        ("type_item", Leaf(TypeAlias)),
        ("const_item", Leaf(Block)),
        ("static_item", Leaf(Block)),
        ("macro_definition", Leaf(Function)),
        ("use_declaration", Import),
        ("extern_crate_declaration", Import),
        ("attribute_item", Comment),
        ("line_comment", Comment),
        ("block_comment", Comment),
    ],
);

pub(super) static PYTHON: Grammar = Grammar::new(
    tree_sitter_python::LANGUAGE,
    ".",
    &[
        ("class_definition", Holder(Class)),
        ("function_definition", Leaf(Function)),
        ("decorated_definition", Wrapper),
        ("import_statement", Import),
        ("import_from_statement", Import),
        ("future_import_statement", Import),
        ("comment", Comment),
    ],
);

const ECMASCRIPT: &[(&str, Role)] = &[
    ("class_declaration", Holder(Class)),
    ("abstract_class_declaration", Holder(Class)),
    ("class", Holder(Class)),
    ("internal_module", Holder(Block)),
    ("module", Holder(Block)),
    ("interface_declaration", Leaf(Interface)),
    ("type_alias_declaration", Leaf(TypeAlias)),
    ("enum_declaration", Leaf(Enum)),
    ("function_declaration", Leaf(Function)),
    ("generator_function_declaration", Leaf(Function)),
    ("function_signature", Leaf(Function)),
    ("method_definition", Leaf(Function)),
    ("abstract_method_signature", Leaf(Function)),
    ("lexical_declaration", Leaf(Block)),
    ("variable_declaration", Leaf(Block)),
    ("public_field_definition", Leaf(Block)),
    ("field_definition", Leaf(Block)),
    ("export_statement", Wrapper),
    ("ambient_declaration", Wrapper),
    ("import_statement", Import),
    ("decorator", Comment),
    ("comment", Comment),
];

pub(super) static TYPESCRIPT: Grammar =
    Grammar::new(tree_sitter_typescript::LANGUAGE_TYPESCRIPT, ".", ECMASCRIPT);
pub(super) static TSX: Grammar =
    Grammar::new(tree_sitter_typescript::LANGUAGE_TSX, ".", ECMASCRIPT);
pub(super) static JAVASCRIPT: Grammar =
    Grammar::new(tree_sitter_javascript::LANGUAGE, ".", ECMASCRIPT);

pub(super) static GO: Grammar = Grammar::new(
    tree_sitter_go::LANGUAGE,
    ".",
    &[
        ("function_declaration", Leaf(Function)),
        ("method_declaration", Leaf(Function)),
        ("type_declaration", Leaf(Class)),
        ("const_declaration", Leaf(Block)),
        ("var_declaration", Leaf(Block)),
        ("package_clause", Import),
        ("import_declaration", Import),
        ("comment", Comment),
    ],
);

pub(super) static JAVA: Grammar = Grammar::new(
    tree_sitter_java::LANGUAGE,
    ".",
    &[
        ("class_declaration", Holder(Class)),
        ("record_declaration", Holder(Class)),
        ("interface_declaration", Holder(Interface)),
        ("annotation_type_declaration", Holder(Interface)),
        ("enum_declaration", Holder(Enum)),
        ("module_declaration", Leaf(Block)),
        ("method_declaration", Leaf(Function)),
        ("constructor_declaration", Leaf(Function)),
        ("compact_constructor_declaration", Leaf(Function)),
        ("package_declaration", Import),
        ("import_declaration", Import),
        ("line_comment", Comment),
        ("block_comment", Comment),
    ],
);

/// A grammar of a feature: none in builds without it.
macro_rules! optional {
    ($name:ident, $feature:literal, $language:expr, $separator:literal, [$($node:literal $role:expr,)*]) => {
        #[cfg(feature = $feature)]
        pub(super) static $name: Option<&Grammar> = {
            static GRAMMAR: Grammar = Grammar::new($language, $separator, &[$(($node, $role)),*]);
            Some(&GRAMMAR)
        };
        #[cfg(not(feature = $feature))]
        pub(super) static $name: Option<&Grammar> = None;
    };
}

optional!(C, "c", tree_sitter_c::LANGUAGE, ".", [
    "function_definition" Leaf(Function),
    "struct_specifier" Leaf(Class),
    "union_specifier" Leaf(Class),
    "enum_specifier" Leaf(Enum),
    "type_definition" Leaf(TypeAlias),
    "declaration" Leaf(Block),
    "preproc_function_def" Leaf(Function),
    "linkage_specification" Holder(Block),
    "preproc_include" Import,
    "comment" Comment,
]);
optional!(CPP, "cpp", tree_sitter_cpp::LANGUAGE, "::", [
    "namespace_definition" Holder(Block),
    "linkage_specification" Holder(Block),
    "class_specifier" Holder(Class),
    "struct_specifier" Holder(Class),
    "union_specifier" Leaf(Class),
    "enum_specifier" Leaf(Enum),
    "function_definition" Leaf(Function),
    "declaration" Leaf(Block),
    "alias_declaration" Leaf(TypeAlias),
    "type_definition" Leaf(TypeAlias),
    "concept_definition" Leaf(Interface),
    "preproc_function_def" Leaf(Function),
    "template_declaration" Wrapper,
    "preproc_include" Import,
    "comment" Comment,
]);
optional!(C_SHARP, "c-sharp", tree_sitter_c_sharp::LANGUAGE, ".", [
    "namespace_declaration" Holder(Block),
    "class_declaration" Holder(Class),
    "struct_declaration" Holder(Class),
    "record_declaration" Holder(Class),
    "interface_declaration" Holder(Interface),
    "enum_declaration" Leaf(Enum),
    "method_declaration" Leaf(Function),
    "constructor_declaration" Leaf(Function),
    "destructor_declaration" Leaf(Function),
    "operator_declaration" Leaf(Function),
    "property_declaration" Leaf(Block),
    "event_declaration" Leaf(Block),
    "delegate_declaration" Leaf(TypeAlias),
    "using_directive" Import,
    "file_scoped_namespace_declaration" Import,
    "comment" Comment,
]);
optional!(RUBY, "ruby", tree_sitter_ruby::LANGUAGE, ".", [
    "module" Holder(Block),
    "class" Holder(Class),
    "singleton_class" Holder(Class),
    "method" Leaf(Function),
    "singleton_method" Leaf(Function),
    "comment" Comment,
]);
optional!(PHP, "php", tree_sitter_php::LANGUAGE_PHP, ".", [
    "namespace_definition" Holder(Block),
    "class_declaration" Holder(Class),
    "trait_declaration" Holder(Class),
    "interface_declaration" Holder(Interface),
    "enum_declaration" Holder(Enum),
    "function_definition" Leaf(Function),
    "method_declaration" Leaf(Function),
    "namespace_use_declaration" Import,
    "comment" Comment,
]);
optional!(BASH, "bash", tree_sitter_bash::LANGUAGE, ".", [
    "function_definition" Leaf(Function),
    "comment" Comment,
]);
optional!(KOTLIN, "kotlin", tree_sitter_kotlin_ng::LANGUAGE, ".", [
    "class_declaration" Holder(Class),
    "object_declaration" Holder(Class),
    "companion_object" Holder(Class),
    "function_declaration" Leaf(Function),
    "secondary_constructor" Leaf(Function),
    "property_declaration" Leaf(Block),
    "type_alias" Leaf(TypeAlias),
    "package_header" Import,
    "import" Import,
    "line_comment" Comment,
    "block_comment" Comment,
]);
optional!(SWIFT, "swift", tree_sitter_swift::LANGUAGE, ".", [
    "class_declaration" Holder(Class),
    "protocol_declaration" Holder(Interface),
    "function_declaration" Leaf(Function),
    "init_declaration" Leaf(Function),
    "deinit_declaration" Leaf(Function),
    "typealias_declaration" Leaf(TypeAlias),
    "import_declaration" Import,
    "comment" Comment,
    "multiline_comment" Comment,
]);
optional!(SCALA, "scala", tree_sitter_scala::LANGUAGE, ".", [
    "object_definition" Holder(Class),
    "class_definition" Holder(Class),
    "trait_definition" Holder(Interface),
    "package_object" Holder(Block),
    "extension_definition" Holder(Block),
    "enum_definition" Holder(Enum),
    "function_definition" Leaf(Function),
    "function_declaration" Leaf(Function),
    "type_definition" Leaf(TypeAlias),
    "package_clause" Import,
    "import_declaration" Import,
    "comment" Comment,
    "block_comment" Comment,
]);
